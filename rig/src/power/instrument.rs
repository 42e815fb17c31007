use std::collections::BTreeMap;

use super::command::Command;
use super::error::PowerError;
use super::lcus::Lcus;
use super::modbus_coil::ModbusCoil;
use super::port::Port;
use super::scpi::Scpi;
use crate::fixture::{self, Level, Serial, Stream};
use crate::link::BenchPorts;
use crate::stamp::{Clock, Stamp};

/// An open instrument.
pub(super) enum Instrument {
    Lcus(Lcus),
    Scpi(Scpi),
    ModbusCoil(ModbusCoil),
    Command(Command),
}

/// A look at a rail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// When the question left.
    pub(super) asked: Stamp,
    /// When the answer was there.
    pub(super) answered: Stamp,
    /// The answer.
    pub(super) volts: f64,
}

impl Instrument {
    pub(super) async fn open(
        name: &str,
        spec: &fixture::Instrument,
        bench: &BenchPorts,
        clock: Clock,
    ) -> Result<Self, PowerError> {
        let port = |stream| Port::open(name, stream, bench, clock);
        let serial_port = |serial: &Serial| port(Stream::Serial(serial.clone()));
        Ok(match spec {
            fixture::Instrument::Lcus(serial) => Self::Lcus(Lcus::at(serial_port(serial).await?).await?),
            fixture::Instrument::Scpi(stream) => Self::Scpi(Scpi::at(port(stream.clone()).await?).await?),
            fixture::Instrument::ModbusCoil { serial, unit } => {
                Self::ModbusCoil(ModbusCoil::at(serial_port(serial).await?, serial, *unit))
            }
            fixture::Instrument::Command { on, off, timeout } => {
                Self::Command(Command::new(name, on, off, *timeout, clock))
            }
        })
    }

    pub(super) fn obtained(&self) -> BTreeMap<String, String> {
        match self {
            Self::Lcus(board) => board.obtained(),
            Self::Scpi(supply) => supply.obtained(),
            Self::ModbusCoil(board) => board.obtained(),
            Self::Command(program) => program.obtained(),
        }
    }

    /// Closes (`On`) or opens a contact; tells when the command went out and returns when it was acknowledged. A port
    /// that is gone is opened again once, and the command given again: it says what to be, not what to change.
    pub(super) async fn switch(
        &mut self,
        channel: u16,
        to: Level,
        commanded: &mut dyn FnMut(Stamp),
    ) -> Result<Stamp, PowerError> {
        match self.switch_once(channel, to, commanded).await {
            Err(PowerError::Gone { .. }) => {
                self.reopen().await?;
                self.switch_once(channel, to, commanded).await
            }
            done => done,
        }
    }

    /// The voltage at a channel. Like [`Self::switch`], it survives a port that was gone.
    pub(super) async fn volts(&mut self, channel: u16) -> Result<Look, PowerError> {
        match self.volts_once(channel).await {
            Err(PowerError::Gone { .. }) => {
                self.reopen().await?;
                self.volts_once(channel).await
            }
            done => done,
        }
    }

    /// The state of a contact, where the instrument tells it.
    pub(super) async fn contact(&mut self, channel: u16) -> Result<Option<Level>, PowerError> {
        match self {
            Self::Lcus(board) => board.contact(channel).await,
            Self::ModbusCoil(board) => board.contact(channel).await.map(|reply| Some(reply.what)),
            Self::Scpi(_) | Self::Command(_) => Ok(None),
        }
    }

    async fn switch_once(
        &mut self,
        channel: u16,
        to: Level,
        commanded: &mut dyn FnMut(Stamp),
    ) -> Result<Stamp, PowerError> {
        match self {
            Self::Lcus(board) => board.switch(channel, to, commanded).await,
            Self::Scpi(supply) => supply.switch(channel, to, commanded).await,
            Self::ModbusCoil(board) => board.switch(channel, to, commanded).await,
            Self::Command(program) => program.switch(channel, to, commanded).await,
        }
    }

    async fn volts_once(&mut self, channel: u16) -> Result<Look, PowerError> {
        match self {
            Self::Scpi(supply) => supply.volts(channel).await,
            Self::Lcus(Lcus { port, .. }) | Self::ModbusCoil(ModbusCoil { port, .. }) => {
                Err(PowerError::CannotSense { instrument: port.name() })
            }
            Self::Command(program) => Err(PowerError::CannotSense { instrument: program.name() }),
        }
    }

    async fn reopen(&mut self) -> Result<(), PowerError> {
        match self {
            Self::Lcus(Lcus { port, .. })
            | Self::Scpi(Scpi { port, .. })
            | Self::ModbusCoil(ModbusCoil { port, .. }) => port.reopen().await,
            Self::Command(_) => Ok(()),
        }
    }
}
