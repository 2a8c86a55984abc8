//! The template's static checks, and faults that one of them must catch.

use crate::template::root;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Each check by its program, and how it is called for a template.
const CHECKS: [(&str, &[&str]); 4] = [
    (
        "cfn-guard",
        &["validate", "--rules", "infra/rules.guard", "--data"],
    ),
    ("cfn-lint", &["--template"]),
    (
        "sam",
        &[
            "validate",
            "--lint",
            "--region",
            "eu-west-3",
            "--template-file",
        ],
    ),
    (
        "checkov",
        &["--config-file", "infra/checkov.yaml", "--file"],
    ),
];

#[test]
#[ignore = "wants cfn-guard, cfn-lint, sam and checkov on the path"]
fn the_template_passes_every_check() {
    for (program, _) in CHECKS {
        match check(program, &root().join("infra/template.yaml")) {
            Some(output) => assert!(
                output.status.success(),
                "{program}: {}",
                output_text(&output)
            ),
            None => println!("skipped: {program} is not on the path"),
        }
    }
}

#[test]
#[ignore = "wants cfn-guard, cfn-lint and checkov on the path"]
fn a_fault_in_the_template_is_caught() {
    let template = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut missed = Vec::new();
    for (number, (program, from, to)) in FAULTS.iter().enumerate() {
        assert!(
            template.contains(from),
            "the template has no `{from}` any more"
        );
        let broken = folder.join(format!("broken-{number}.yaml"));
        std::fs::write(&broken, template.replacen(from, to, 1)).unwrap();
        match check(program, &broken) {
            Some(output) if output.status.success() => {
                missed.push(format!("{program}: `{from}` as `{to}`"))
            }
            Some(_) => println!("{program:<10} caught `{}` as `{to}`", from.trim()),
            None => println!("skipped: {program} is not on the path"),
        }
    }
    assert!(missed.is_empty(), "nobody noticed:\n{}", missed.join("\n"));
}

/// The check's verdict, if its program is there.
fn check(program: &str, template: &Path) -> Option<Output> {
    let (_, arguments) = CHECKS.iter().find(|(known, _)| *known == program).unwrap();
    let output = Command::new(program)
        .args(*arguments)
        .arg(template)
        .current_dir(root())
        .env("SAM_CLI_TELEMETRY", "0")
        .stdin(Stdio::null())
        .output();
    output.ok()
}

fn output_text(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Who catches what: a text of the template, and what it becomes.
const FAULTS: [(&str, &str, &str); 26] = [
    (
        "cfn-guard",
        "Runtime: provided.al2023",
        "Runtime: provided.al2032",
    ),
    ("cfn-guard", "Handler: bootstrap", "Handler: main"),
    (
        "cfn-guard",
        "AttributeName: pk, KeyType: HASH",
        "AttributeName: pk, KeyType: RANGE",
    ),
    ("cfn-guard", "rate(1 minute)", "rate(1 minutes)"),
    ("cfn-guard", "cron(17 3 * * ? *)", "cron(17 3 * *)"),
    (
        "cfn-guard",
        "StartingPosition: TRIM_HORIZON",
        "StartingPosition: LATEST",
    ),
    (
        "cfn-guard",
        "VisibilityTimeout: 180",
        "VisibilityTimeout: 20",
    ),
    (
        "cfn-guard",
        "BisectBatchOnFunctionError: true",
        "BisectBatchOnFunctionError: false",
    ),
    ("cfn-guard", "            MaximumRetryAttempts: 10\n", ""),
    (
        "cfn-guard",
        "            FunctionResponseTypes: [ReportBatchItemFailures]\n",
        "",
    ),
    ("cfn-guard", "Action: dynamodb:Scan", "Action: dynamodb:*"),
    (
        "cfn-guard",
        "Resource: !GetAtt Letters.Arn",
        "Resource: \"*\"",
    ),
    ("cfn-guard", "    DeletionPolicy: Retain\n", ""),
    (
        "cfn-guard",
        "DeletionProtectionEnabled: true",
        "DeletionProtectionEnabled: false",
    ),
    (
        "cfn-guard",
        "SqsManagedSseEnabled: true",
        "SqsManagedSseEnabled: false",
    ),
    ("cfn-guard", "SystemLogLevel: WARN", "SystemLogLevel: INFO"),
    (
        "cfn-guard",
        "            Name: !Sub orangery-${Stage}-due_scan\n",
        "",
    ),
    (
        "cfn-guard",
        "QueueName: !Sub orangery-${Stage}-letters",
        "QueueName: orangery-letters",
    ),
    (
        "cfn-guard",
        "\"requestId\":\"$context.requestId\"",
        "\"from\":\"$context.identity.sourceIp\"",
    ),
    (
        "cfn-guard",
        "DefaultRouteSettings: {ThrottlingRateLimit: 10",
        "DefaultRouteSettings: {ThrottlingRateLimit: 5000",
    ),
    ("cfn-lint", "TopicArn: !Ref Alarms", "TopicArn: !Ref Alarm"),
    (
        "cfn-lint",
        "BillingMode: PAY_PER_REQUEST",
        "BillingMode: ON_DEMAND",
    ),
    (
        "cfn-lint",
        "        - {AttributeName: next_due_at, AttributeType: S}\n",
        "",
    ),
    (
        "cfn-guard",
        "MaximumBatchingWindowInSeconds: 1",
        "MaximumBatchWindowInSeconds: 1",
    ),
    (
        "checkov",
        "PointInTimeRecoveryEnabled: true",
        "PointInTimeRecoveryEnabled: false",
    ),
    ("checkov", "      RetentionInDays: !Ref LogDays\n", ""),
];
