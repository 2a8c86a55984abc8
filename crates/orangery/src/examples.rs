//! Examples under the help of every command, by its path. A test parses each of them.

use clap::Command;

/// The command and all below it, with their examples.
pub(crate) fn with_examples(command: Command) -> Command {
    under("", command)
}

fn under(path: &str, command: Command) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    let command = names.into_iter().fold(command, |command, name| {
        let below = format!("{path} {name}");
        command.mut_subcommand(&name, |sub| under(below.trim(), sub))
    });
    match examples(path) {
        [] => command,
        lines => command.after_help(format!("Examples:\n  {}", lines.join("\n  "))),
    }
}

/// The examples of the command with this path.
pub(crate) fn examples(path: &str) -> &'static [&'static str] {
    let found = EXAMPLES.iter().find(|(known, _)| *known == path);
    found.map_or(&[], |(_, lines)| *lines)
}

const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "orangery",
            "orangery connect stripe",
            "orangery customer stripe/test/cus_ada",
            "orangery customer ada@example.com --stage test --profile grove",
        ],
    ),
    (
        "dev",
        &[
            "orangery dev --no-samples --shop shop.toml --data orangery-data",
            "orangery dev --secret stripe=whsec_… --quiet",
        ],
    ),
    (
        "connect",
        &[
            "orangery connect stripe",
            "orangery connect stripe --secret whsec_… --write-catalog catalog.toml",
            "orangery connect polar --stage test",
        ],
    ),
    (
        "customer",
        &[
            "orangery customer stripe/test/cus_ada",
            "orangery customer ada@example.com --json",
            "orangery customer in_123 --stage test --profile grove --region eu-west-3",
        ],
    ),
    (
        "send",
        &[
            "orangery send stripe ada --duplicate --shuffle",
            "orangery send stripe invoice.paid --set data.object.customer=cus_ada",
            "orangery send partner/acme referral.created",
        ],
    ),
    ("clock", &["orangery clock advance 3d"]),
    ("clock show", &["orangery clock show"]),
    (
        "clock advance",
        &["orangery clock advance 3d", "orangery clock advance -2h"],
    ),
    (
        "clock set",
        &["orangery clock set 2026-03-01", "orangery clock set now"],
    ),
    ("calendar", &["orangery calendar run"]),
    ("calendar run", &["orangery calendar run"]),
    (
        "partner",
        &[
            "orangery partner add acme --rate 20% --months 12 --hold 30d --window 60d",
            "orangery partner statement acme",
        ],
    ),
    (
        "partner add",
        &[
            "orangery partner add acme --rate 20% --months 12 --hold 30d --window 60d",
            "orangery partner add agency-one --program agency --email me@agency.example",
            "orangery partner add acme --catalog catalog.toml --stage test",
        ],
    ),
    ("partner list", &["orangery partner list --json"]),
    (
        "partner terms",
        &[
            "orangery partner terms acme",
            "orangery partner terms acme --rate 25%",
        ],
    ),
    ("partner rotate", &["orangery partner rotate acme"]),
    (
        "partner revoke",
        &[
            "orangery partner revoke acme 1",
            "orangery partner revoke acme --all",
        ],
    ),
    ("partner key", &["orangery partner key acme whpk_…"]),
    (
        "partner postback",
        &[
            "orangery partner postback acme",
            "orangery partner postback acme --revoke",
        ],
    ),
    ("partner code", &["orangery partner code acme SPRING"]),
    (
        "partner endpoint",
        &[
            "orangery partner endpoint acme https://partner.example/notices --stage test",
            "orangery partner endpoint acme --rotate",
        ],
    ),
    (
        "partner statement",
        &[
            "orangery partner statement acme --json",
            "orangery partner statement acme --month 2026-04 --csv april.csv",
        ],
    ),
    (
        "partner referrals",
        &["orangery partner referrals acme --status held"],
    ),
    ("partner release", &["orangery partner release acme r-1"]),
    ("partner void", &["orangery partner void acme r-1"]),
    (
        "partner payout",
        &[
            "orangery partner payout --all --dry-run",
            "orangery partner payout acme --date 2026-04-05 --csv payouts.csv --stage live",
        ],
    ),
    (
        "partner bank",
        &["orangery partner bank acme --name Acme --iban DE89370400440532013000"],
    ),
    (
        "partner test",
        &["orangery partner test acme https://partner.example/notices --notices"],
    ),
    ("key", &["orangery key create --scope read --name backend"]),
    (
        "key create",
        &[
            "orangery key create --scope read --name backend",
            "orangery key create --scope write --name support --stage test",
        ],
    ),
    ("key list", &["orangery key list --json"]),
    ("key revoke", &["orangery key revoke backend --stage test"]),
    ("check", &["orangery check", "orangery check shop.toml"]),
    ("doctor", &["orangery doctor signature saved-request.http"]),
    (
        "doctor signature",
        &[
            "orangery doctor signature saved-request.http",
            "orangery doctor signature saved-request.json --secret whsec_… --live",
        ],
    ),
    ("mail", &["orangery mail preview --out letters"]),
    (
        "mail preview",
        &[
            "orangery mail preview --out letters",
            "orangery mail preview --out letters --shop shop.toml --language fr",
        ],
    ),
    (
        "completion",
        &[
            "source <(orangery completion bash)",
            "orangery completion zsh > ~/.zfunc/_orangery",
        ],
    ),
];
