use std::any::Any;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::ProbeError;
use super::request::{LONGEST, MOST_MEMORY, Request, Response};
use super::target::{Attached, list};
use crate::hex;
use crate::visible::visible_up_to;

/// The most characters of a panic's message.
const MESSAGE: usize = 200;

/// Drives a probe: requests come from standard input, answers go to standard output. Ends when the input does, even in
/// the middle of a request; that probe-rs hangs then does not matter.
///
/// # Errors
/// Where the answers cannot be written: nobody reads them any more.
pub fn work() -> io::Result<()> {
    // A panic is an answer.
    std::panic::set_hook(Box::new(|_| {}));
    let (asked, requests) = channel();
    thread::Builder::new().name("requests".to_owned()).spawn(move || listen(&asked))?;
    answer(&requests, &mut io::stdout().lock())
}

/// Takes requests until the input ends, and this process with it.
fn listen(asked: &Sender<Request>) {
    let mut input = BufReader::new(io::stdin());
    loop {
        let mut line = Vec::new();
        let read = input.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line);
        let request = read.ok().and_then(|_| serde_json::from_slice(&line).ok());
        if request.and_then(|request| asked.send(request).ok()).is_none() {
            process::exit(0);
        }
    }
}

fn answer(requests: &Receiver<Request>, output: &mut impl Write) -> io::Result<()> {
    let mut attached = None;
    for request in requests {
        let answered = catch_unwind(AssertUnwindSafe(|| {
            let mut tell = |response: &Response| say(output, response);
            handle(&request, &mut attached, &mut tell)
        }));
        match answered {
            Ok(response) => say(output, &response.unwrap_or_else(Response::Failed))?,
            Err(panic) => {
                let what = request.words().to_owned();
                say(output, &Response::Failed(ProbeError::Panicked { what, message: message(&*panic) }))?;
                // What probe-rs holds may be half changed, and may hang when it is dropped.
                process::exit(0);
            }
        }
    }
    Ok(())
}

fn handle(
    request: &Request,
    attached: &mut Option<Attached>,
    tell: &mut dyn FnMut(&Response) -> io::Result<()>,
) -> Result<Response, ProbeError> {
    match request {
        Request::List(selector) => return list(selector.as_deref()).map(Response::Found),
        Request::Attach(target) => {
            *attached = None;
            *attached = Some(Attached::new(target)?);
            return Ok(Response::Done);
        }
        Request::Detach => {
            *attached = None;
            return Ok(Response::Done);
        }
        _ => {}
    }
    let attached = attached.as_mut().ok_or(ProbeError::Gibberish)?;
    match request {
        Request::Identify => attached.identify().map(Response::Identity),
        Request::Compare => attached.compare().map(Response::Differs),
        Request::Flash => {
            // Where nobody listens any more, the end of the input ends this.
            attached.flash(&mut |progress| drop(tell(&Response::Progress(progress)))).map(|()| Response::Done)
        }
        Request::Reset => attached.reset().map(|()| Response::Done),
        Request::Halt => attached.halt().map(|()| Response::Done),
        Request::Run => attached.run().map(|()| Response::Done),
        Request::State => attached.state().map(Response::State),
        Request::Read { address, length } if *length <= MOST_MEMORY => {
            attached.read(*address, *length).map(|bytes| Response::Memory(hex::text(&bytes)))
        }
        Request::Log => attached.log().map(Response::Log),
        Request::Read { .. } | Request::List(_) | Request::Attach(_) | Request::Detach => Err(ProbeError::Gibberish),
    }
}

fn say(output: &mut impl Write, response: &Response) -> io::Result<()> {
    let mut line = serde_json::to_vec(response)?;
    line.push(b'\n');
    output.write_all(&line)?;
    output.flush()
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    visible_up_to(text.unwrap_or("it does not say why"), MESSAGE)
}
