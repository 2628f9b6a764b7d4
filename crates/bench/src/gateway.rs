//! A request through the local API Gateway, against Invoke of the same function with the same event: what the gateway adds.
//! Key, usage plan with throttle and quota, the function's policy, access log and execution log are all on.

use crate::deployed::{Deployed, REPLACED};
use crate::load::Load;
use crate::report::{Report, Target, median};

/// Figures are medians over this many rounds; in each, both ways have their turn.
const ROUNDS: usize = 9;
/// Per way and round.
const REQUESTS: usize = 4000;
/// Also how many processes the function has.
const CONNECTIONS: usize = 4;
/// What the processes may share.
const CORES: f64 = 2.0;

/// One way's figures, one of each round: CPU time in milliseconds per request.
#[derive(Default)]
struct Way {
    data_plane: Vec<f64>,
    functions: Vec<f64>,
    client: Vec<f64>,
    per_second: Vec<f64>,
    half: Vec<f64>,
    most: Vec<f64>,
}

pub(crate) fn run() -> anyhow::Result<()> {
    let title = "Local API Gateway: a request through it against Invoke of the same function (same run, in turn)";
    let mut report = Report::new("gateway", title);
    let deployed = Deployed::start()?;
    let mut connections = (0..CONNECTIONS).map(|_| deployed.connect()).collect::<Result<Vec<_>, _>>()?;
    let ways = [("through the gateway", deployed.through_gateway()), ("Invoke", deployed.direct())];
    let mut measured = [Way::default(), Way::default()];
    // The first round warms up.
    for round in 0..=ROUNDS {
        for ((_, request), way) in ways.iter().zip(&mut measured) {
            let before = deployed.cpu()?;
            let load = Load::send(&mut connections, request, REQUESTS, REPLACED)?;
            let after = deployed.cpu()?;
            if round == 0 {
                continue;
            }
            let per_request = |time: std::time::Duration| time.as_secs_f64() * 1e3 / load.requests as f64;
            way.data_plane.push(per_request(after.data_plane.saturating_sub(before.data_plane)));
            way.functions.push(per_request(after.functions.saturating_sub(before.functions)));
            way.client.push(per_request(load.cpu));
            way.per_second.push(load.per_second());
            way.half.push(load.percentile(0.5).as_secs_f64() * 1e3);
            way.most.push(load.percentile(0.99).as_secs_f64() * 1e3);
        }
    }
    let [gateway, invoke] = &measured;
    let added = gateway.data_plane.iter().zip(&invoke.data_plane).map(|(gateway, invoke)| gateway - invoke).collect();
    let all = gateway.data_plane.iter().zip(&gateway.functions).zip(&gateway.client);
    let all: Vec<f64> = all.map(|((data_plane, functions), client)| data_plane + functions + client).collect();
    let possible = median(all.iter().map(|milliseconds| CORES * 1e3 / milliseconds).collect());

    for ((name, _), way) in ways.iter().zip(&measured) {
        report.figure(
            &format!("{name}: CPU time of the data plane"),
            median(way.data_plane.clone()),
            "ms",
            Target::None,
        );
        report.figure(&format!("{name}: of the function"), median(way.functions.clone()), "ms", Target::None);
        report.figure(&format!("{name}: of the client"), median(way.client.clone()), "ms", Target::None);
    }
    report.figure("the gateway adds, CPU time", median(added), "ms", Target::AtMost(0.3));
    report.figure("two cores' worth of CPU time makes", possible, "requests/s", Target::AtLeast(5000.0));
    report.figure("by the clock, beside all else here", median(gateway.per_second.clone()), "requests/s", Target::None);
    report.figure("latency, p50", median(gateway.half.clone()), "ms", Target::None);
    report.figure("latency, p99", median(gateway.most.clone()), "ms", Target::AtMost(20.0));
    report.write()
}
