//! `orangery partner`: what people decide of partners. One file a group of commands, one variant
//! each.

mod add;
mod keys;
mod proofs;
mod terms;
mod list;
mod codes;
mod notice_endpoint;
mod review;
mod referrals;
pub mod statement;
mod test_delivery;
mod payout;
mod bank;
mod accounts;
mod target;
pub mod sheet;
pub mod sepa;

use clap::Subcommand;

/// What can be said of partners.
#[derive(Subcommand)]
pub enum PartnerCommand {
    /// Adds a partner, with what it earns, and prints its secret.
    Add(add::AddPartnerArgs),
    /// Every partner: terms, key versions, codes.
    List(list::ListPartnersArgs),
    /// What a partner earns; with other terms, what it earns on customers sent from now on.
    Terms(terms::ChangeTermsArgs),
    /// Gives a partner the next version of its key and prints that secret.
    Rotate(keys::RotateKeyArgs),
    /// Takes a version of a partner's key out of force.
    Revoke(keys::RevokeKeyArgs),
    /// Takes a public key that a partner signs with besides, or out of force.
    Key(proofs::PublicKeyArgs),
    /// Prints the token that a partner's postbacks carry.
    Postback(proofs::PostbackTokenArgs),
    /// Gives a partner a code: whoever shows it from now on was sent by it.
    Code(codes::GrantCodeArgs),
    /// Where a partner gets notices of its rows, and the secret that it checks notices with.
    Endpoint(notice_endpoint::NoticeEndpointArgs),
    /// What a partner is owed, row by row.
    Statement(statement::StatementArgs),
    /// What a partner reported, how it stands, and why.
    Referrals(referrals::ListReferralsArgs),
    /// Decides that a referral is an honest one: what it holds back is owed.
    Release(review::ReviewReferralArgs),
    /// Decides that a referral counts for nothing.
    Void(review::ReviewReferralArgs),
    /// Pays what is released, or shows what would be paid.
    Payout(Box<payout::PayoutArgs>),
    /// Says where a partner's money goes.
    Bank(bank::BankAccountArgs),
    /// Sends a signed sample to any address, to try the receiving end.
    Test(test_delivery::TestDeliveryArgs),
}

impl PartnerCommand {
    /// Does it.
    ///
    /// # Errors
    /// In words for whoever typed it.
    pub async fn run(self) -> anyhow::Result<()> {
        use domain::partner::referral::Decision;
        match self {
            Self::Add(add) => add.run().await,
            Self::List(list) => list.run().await,
            Self::Terms(terms) => terms.run().await,
            Self::Rotate(rotate) => rotate.run().await,
            Self::Revoke(revoke) => revoke.run().await,
            Self::Key(key) => key.run().await,
            Self::Postback(postback) => postback.run().await,
            Self::Code(code) => code.run().await,
            Self::Endpoint(endpoint) => endpoint.run().await,
            Self::Statement(show) => show.run().await,
            Self::Referrals(list) => list.run().await,
            Self::Release(review) => review.run(Decision::Release).await,
            Self::Void(review) => review.run(Decision::Void).await,
            Self::Payout(payout) => payout.run().await,
            Self::Bank(bank) => bank.run().await,
            Self::Test(try_out) => try_out.run().await,
        }
    }
}
