//! Every function's program in one, so that tests link once: the first argument names the function.
//! Each arm is what the function's own `main.rs` says.

use calendar::Calendar;
use dispatch::Dispatch;
use engagement_email::EngagementEmail;
use journal_fold::JournalFold;
use partner_notice::PartnerNotice;
use partner_referral::PartnerReferral;
use payment_webhook::PaymentWebhook;
use runtime::serve::run;
use shop_api::ShopApi;

fn main() -> Result<(), lambda_runtime::Error> {
    match std::env::args().nth(1).unwrap_or_default().as_str() {
        "calendar" => run(Calendar::from_settings),
        "dispatch" => run(Dispatch::from_settings),
        "engagement-email" => run(EngagementEmail::from_settings),
        "journal-fold" => run(JournalFold::from_settings),
        "partner-notice" => run(PartnerNotice::from_settings),
        "partner-referral" => run(PartnerReferral::from_settings),
        "payment-webhook" => run(PaymentWebhook::from_settings),
        "shop-api" => run(ShopApi::from_settings),
        other => Err(format!("`{other}` is not a function that is built here").into()),
    }
}
