//! Rates usage for `tests/rating`: a price, a quantity and a number of events as JSON on each line
//! of the input; for each a line of JSON with the amounts of all lines and their sum, in minor
//! units, or why there are none.

use domain::subscription::terms::Period;
use domain::usage::meter::MeteredUsage;
use domain::usage::price::UsagePrice;
use domain::usage::quantity::Quantity;
use domain::usage::rate::rate;
use jiff::Timestamp;
use serde::Deserialize;
use std::io::{BufRead, Write};

#[derive(Deserialize)]
struct RatingCase {
    price: UsagePrice,
    quantity: Quantity,
    events: u64,
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let answer = match serde_json::from_str::<RatingCase>(&line?) {
            Ok(case) => rated(&case),
            Err(error) => serde_json::json!({ "error": error.to_string() }),
        };
        writeln!(out, "{answer}")?;
    }
    out.flush()
}

fn rated(case: &RatingCase) -> serde_json::Value {
    let period = Period {
        start: Timestamp::UNIX_EPOCH,
        end: Timestamp::MAX,
    };
    let usage = MeteredUsage {
        quantity: case.quantity,
        events: case.events,
    };
    match rate(usage, &case.price, period) {
        Ok(rated) => {
            let lines: Vec<i64> = rated.lines.iter().map(|line| line.amount.minor).collect();
            serde_json::json!({ "lines": lines, "total": rated.total.minor })
        }
        Err(error) => serde_json::json!({ "error": error.to_string() }),
    }
}
