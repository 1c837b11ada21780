//! The API server of a bed, killed and started anew: what long connections through it must survive.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::{
    eventually::{SOON, eventually},
    information::BedInformation,
};

/// Waits until the bed's API server was killed and another one answers. Whoever else uses that bed notices: take one of your own.
pub async fn restart(bed: &BedInformation) {
    let restarts = || fs::read_to_string(bed.state.join("restarts")).unwrap_or_default().lines().count();
    let before = restarts();
    let supervisor = Pid::from_raw(bed.supervisor.cast_signed()).expect("a process id");
    kill_process(supervisor, Signal::USR1).expect("the supervisor runs");
    eventually(SOON, "another API server answers", async || if restarts() > before { Ok(()) } else { Err("none") }).await;
}
