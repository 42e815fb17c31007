use super::*;
use crate::report::demo;

#[test]
fn the_demo_is_drawn() {
    let folder = std::env::temp_dir().join("rig-report-demo");
    let files = write(&folder, &demo::large()).unwrap();
    assert!(files.len() > 3);
}
