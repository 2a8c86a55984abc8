//! `orangery calendar run`: what is due at the stack's clock happens now.

use crate::gateway::GatewayArgs;
use crate::wiring::{AUDIT, DUE_SCAN};
use anyhow::{Context, bail};
use local_shop::clock;
use local_shop::delivery::{agent, no_answer_message};

/// Runs the sweep and the audit, then lets what follows from them arrive. In words what was
/// done.
///
/// # Errors
/// When no local stack answers there.
pub fn run(gateway: &GatewayArgs) -> anyhow::Result<String> {
    let address = gateway.announced_address()?;
    let now = clock::now(&address).context(DEPLOYED)?;
    for lever in [
        format!("schedules/{DUE_SCAN}/run"),
        format!("schedules/{AUDIT}/run"),
        "settle".to_owned(),
    ] {
        let url = format!("{address}/_stack/{lever}");
        let answer = agent(&url).post(&url).send_empty();
        let mut answer = answer.with_context(|| no_answer_message(&address))?;
        if !answer.status().is_success() {
            let text = answer.body_mut().read_to_string().unwrap_or_default();
            bail!("{lever} answered {}: {}", answer.status(), text.trim());
        }
    }
    Ok(format!("what was due at {now} has been done"))
}

const DEPLOYED: &str = "only a local stack's calendar is run from here; a deployed stage runs its \
     own every minute, and at once by `aws lambda invoke --function-name \
     orangery-STAGE-calendar --cli-binary-format raw-in-base64-out --payload \
     '{\"job\":\"due_scan\"}' /dev/stdout`";
