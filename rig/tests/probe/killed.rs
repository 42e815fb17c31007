//! A virtual bench that is killed.

use crate::bench::Board;
use crate::lab::processes::{children_of, command_line, lives, wait_until};

#[test]
fn a_killed_bench_takes_its_machines_with_it_and_the_next_one_replaces_its_files() {
    let Board { lab, mut bench } = Board::new();
    for _ in 0..2 {
        let mut machines = Vec::new();
        wait_until("QEMU runs", || {
            machines = children_of(bench.pid());
            machines.iter().any(|machine| command_line(*machine).starts_with("qemu-system-arm"))
        });
        // It is killed.
        drop(bench);
        wait_until("its machines are gone", || !machines.iter().any(|machine| lives(*machine)));
        bench = lab.start(lab.rig(&["bench", "bench.toml", "--dir", "ports"]));
        bench.until_printed("ready");
    }
}
