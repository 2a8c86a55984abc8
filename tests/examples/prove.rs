//! The proof, as one command.
use tests::prove::{MUTANTS, NAMES, simulate};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "m" {
        for (m, name) in MUTANTS {
            let t = std::time::Instant::now();
            let x = simulate::worlds(7, 1_000_000, 2, Some(m));
            println!(
                "{name}: {:?} {} {:?}",
                x.first
                    .map(|f| (f.0, f.1, f.2.lines().next().unwrap_or("").to_owned())),
                x.deliveries,
                t.elapsed()
            );
        }
        return;
    }
    if args[1] == "w" {
        let r = simulate::world(&tests::prove::Spec::whole(args[2].parse().unwrap()), None);
        print!(
            "{}",
            simulate::describe(&tests::prove::Spec::whole(args[2].parse().unwrap()))
        );
        println!("{:?} {}", r.faults, r.broken.unwrap_or_default());
        return;
    }
    let n: u64 = args.get(1).and_then(|s| s.parse().ok()).unwrap_or(100_000);
    let t = std::time::Instant::now();
    let total = simulate::worlds(7, n, 2, None);
    println!(
        "{} deliveries, {} worlds, {:?}, {:?}",
        total.deliveries,
        total.worlds,
        t.elapsed(),
        total.first.as_ref().map(|f| (f.0, f.1))
    );
    for (name, hits) in NAMES.iter().zip(total.hits.0) {
        println!("{name:>40} {hits}");
    }
    if args.len() > 2 {
        for i in 0..args[2].parse().unwrap() {
            let seed = simulate::seed_of(7, i);
            let r = simulate::world(&tests::prove::Spec::whole(seed), None);
            if let Some(b) = r.broken {
                println!("{i} {seed} {}", b.lines().next().unwrap_or(""));
            }
        }
    }
    if let Some(f) = total.first {
        println!("{}", f.2);
    }
}
