use super::*;
use crate::report::{demo, plot};

#[test]
fn the_demo_is_written() {
    let folder = std::env::temp_dir().join("rig-report-demo");
    let findings = demo::large();
    let plots = plot::write(&folder, &findings).unwrap();
    std::fs::write(folder.join(PAGE), render(&findings, &plots).unwrap()).unwrap();
    std::fs::write(folder.join(STYLE), CSS).unwrap();
}
