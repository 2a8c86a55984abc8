//! The roots that a stage's keys are made from, and whether the one in hand is the stage's.

use crate::stage::StageArgs;
use crate::table::readable_error;
use anyhow::bail;
use clap::Args;
use domain::root_fingerprint::RootFingerprint;
use local_shop::shop::LOCAL_MASTER;
use providers::{Secret, root_fingerprint};
use runtime::secrets::KeyPurpose;
use store::roots::{RootCheck, RootRow, check_root, claim_root, replace_root};

/// From which a stage's keys are derived.
#[derive(Args)]
pub(crate) struct RootArgs {
    /// The root of a deployed stage's keys of this command's purpose; else what
    /// ORANGERY_ROOT_PERSONS, _PARTNERS, _POSTBACKS, _NOTICES or _SHOP says. A local stack needs
    /// none.
    #[arg(long)]
    root: Option<String>,
    /// The stage's root was replaced on purpose: from now on it is the one in hand.
    #[arg(long)]
    new_root: bool,
}

impl RootArgs {
    /// The newest root of this purpose, which is the first line of its parameter, to look something
    /// up with.
    ///
    /// # Errors
    /// When a deployed stage's is needed and not given, it is weak, or it is another stage's.
    pub(crate) async fn newest(
        &self,
        place: &StageArgs,
        purpose: KeyPurpose,
    ) -> anyhow::Result<Secret> {
        let (root, fingerprint) = self.in_hand(place, purpose)?;
        if !place.is_local()? {
            let table = place.table().await?;
            let known = check_root(&table, purpose.as_str(), &fingerprint).await;
            self.settle(place, known.map_err(readable_error)?, purpose, &fingerprint)
                .await?;
        }
        Ok(root)
    }

    /// The same to give out a key: the first time, the table notes which root it is.
    ///
    /// # Errors
    /// As of [`Self::newest`].
    pub(crate) async fn newest_to_give_out(
        &self,
        place: &StageArgs,
        purpose: KeyPurpose,
    ) -> anyhow::Result<Secret> {
        let (root, fingerprint) = self.in_hand(place, purpose)?;
        if !place.is_local()? {
            let (table, now) = (place.table().await?, place.now()?);
            let known = claim_root(&table, purpose.as_str(), &fingerprint, now).await;
            self.settle(place, known.map_err(readable_error)?, purpose, &fingerprint)
                .await?;
        }
        Ok(root)
    }

    /// The root in hand and its fingerprint. A local stack's is known to all, and no other is
    /// taken.
    fn in_hand(
        &self,
        place: &StageArgs,
        purpose: KeyPurpose,
    ) -> anyhow::Result<(Secret, RootFingerprint)> {
        let variable = variable(purpose);
        let given = self.root.clone().or_else(|| std::env::var(&variable).ok());
        let given = given.filter(|text| !text.is_empty());
        let is_local = place.is_local()?;
        if given.is_none() && !is_local {
            let stage = place.name()?;
            bail!(
                "the root of that stage's keys is not given, and without it none can be made; set \
                 {variable}, or say --root: aws ssm get-parameter --name \
                 /orangery/{stage}/keys/{} --with-decryption --query Parameter.Value --output text",
                purpose.as_str()
            )
        }
        let text = given.as_deref().unwrap_or(LOCAL_MASTER);
        let root = Secret::new(text.lines().next().unwrap_or_default().trim())?;
        let fingerprint = root_fingerprint(&root)?;
        if is_local && fingerprint != root_fingerprint(&Secret::new(LOCAL_MASTER)?)? {
            bail!(
                "{} is another root than the one that every local stack makes its keys from, so a \
                 key made with it would open nothing here; leave it out, or say --stage NAME for \
                 the stage that it is of",
                if self.root.is_some() {
                    "--root"
                } else {
                    &variable
                }
            )
        }
        Ok((root, fingerprint))
    }

    async fn settle(
        &self,
        place: &StageArgs,
        known: RootCheck,
        purpose: KeyPurpose,
        fingerprint: &RootFingerprint,
    ) -> anyhow::Result<()> {
        let other = match known {
            RootCheck::Same | RootCheck::Unknown => return Ok(()),
            RootCheck::Other(other) => other,
        };
        if !self.new_root {
            bail!("{}", mismatch(place, purpose, &other, fingerprint)?)
        }
        let (table, now) = (place.table().await?, place.now()?);
        let replaced = replace_root(&table, &other, fingerprint, now).await;
        match replaced.map_err(readable_error)? {
            true => Ok(()),
            false => bail!("somebody else replaced that root just now; look again"),
        }
    }
}

/// What to say of a root that is another's.
fn mismatch(
    place: &StageArgs,
    purpose: KeyPurpose,
    known: &RootRow,
    in_hand: &RootFingerprint,
) -> anyhow::Result<String> {
    let (stage, variable, purpose) = (place.name()?, variable(purpose), purpose.as_str());
    Ok(format!(
        "the root in hand is not the one that the {purpose} keys of stage {stage} are made from \
         (fingerprint {in_hand}; the table knows {}, since {}), so what it gives would open \
         nothing there, and nothing was changed. Is {variable} another stage's? The stage's own is \
         in /orangery/{stage}/keys/{purpose}. If that was replaced on purpose, say --new-root",
        known.fingerprint, known.since
    ))
}

fn variable(purpose: KeyPurpose) -> String {
    format!("ORANGERY_ROOT_{}", purpose.as_str().to_ascii_uppercase())
}
