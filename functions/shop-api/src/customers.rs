//! A customer's record, as `orangery customer --json` shows it: without e-mails and events, which
//! a question at run time has no use for.

use crate::ShopApi;
use crate::answer::{etag_of, json_answer};
use crate::body::read_body;
use crate::caller::Caller;
use crate::refusal::Refusal;
use domain::catalog::Catalog;
use domain::ids::{Reference, ReferralCode};
use domain::record::Record;
use domain::state::fold::fold_with_all_payments;
use domain::view::{
    AttributionView, CustomerView, InvoiceView, PaymentView, PersonView, SubscriptionView,
};
use runtime::http::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use store::Table;
use store::folding::read_journal;
use store::lookup::{FoundCustomers, find_customers, referred};

/// Payments of a page.
const PAGE: usize = 50;

/// The customers that a reference leads to.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "Customers"))]
pub(crate) struct CustomersResponse {
    /// Their records, by key.
    customers: Vec<CustomerRecord>,
    /// Whether the reference leads to more of them than are given here.
    more: bool,
}

/// What is known of one customer.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "Record"))]
pub(crate) struct CustomerRecord {
    /// Who the customer is.
    customer: PersonView,
    /// Subscriptions, the earliest first.
    subscriptions: Vec<SubscriptionView>,
    /// Payments, the earliest first: the latest twelve, or those of the page that was asked for.
    payments: Vec<PaymentView>,
    /// How many earlier payments there are besides: `?payments=1` begins with the latest 50.
    earlier_payments: usize,
    /// Invoices that failed at least once, the earliest failure first.
    failed_invoices: Vec<InvoiceView>,
    /// The partner that sent the customer; `null` when no referral counts.
    attribution: Option<AttributionView>,
    /// Referral codes that the customer used.
    referral_codes: Vec<ReferralCode>,
    /// The number of events that the record was made from.
    events: u64,
    /// The number of those that are understood in part or not at all.
    unclear_events: u32,
}

/// Whose address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "Find"))]
pub(crate) struct FindRequest {
    /// An e-mail address, in any case.
    email: String,
}

impl<T: Table> ShopApi<T> {
    /// The records of the customers that a reference leads to.
    pub(crate) async fn customers(
        &self,
        caller: &Caller,
        reference: &str,
        request: &HttpRequest,
    ) -> Result<HttpResponse, Refusal> {
        caller.server_only()?;
        let page = payments_page(&request.query)?;
        let found = find_customers(&self.table, reference, &self.accounts).await?;
        self.answer_customers(&found, page, request).await
    }

    /// The same for an e-mail address, which stands in no URL.
    pub(crate) async fn find(
        &self,
        caller: &Caller,
        request: &HttpRequest,
    ) -> Result<HttpResponse, Refusal> {
        caller.server_only()?;
        let asked: FindRequest = read_body(&request.body)?;
        if !asked.email.contains('@') || asked.email.len() > MAX_EMAIL {
            return Err(Refusal::Field {
                name: "email",
                what: "is no e-mail address",
            });
        }
        let persons = self.person_key.in_force().await?;
        let person = Reference::person(&persons.hash(&asked.email));
        let found = referred(&self.table, &person).await?;
        self.answer_customers(&found, None, request).await
    }

    async fn answer_customers(
        &self,
        found: &FoundCustomers,
        page: Option<usize>,
        request: &HttpRequest,
    ) -> Result<HttpResponse, Refusal> {
        if found.records.is_empty() {
            return Err(Refusal::UnknownCustomer);
        }
        let mut customers = Vec::with_capacity(found.records.len());
        for record in &found.records {
            customers.push(match page {
                None => CustomerRecord::of(record, &self.catalog),
                Some(page) => self.with_page(record, page).await?,
            });
        }
        let response = CustomersResponse {
            customers,
            more: found.more,
        };
        Ok(json_answer(&response, etag_of(&response), request))
    }

    /// A record with a page of all its payments, which stand in its journal alone.
    async fn with_page(&self, record: &Record, page: usize) -> Result<CustomerRecord, Refusal> {
        let journal = read_journal(&self.table, &record.customer).await?;
        let state = fold_with_all_payments(journal.iter().map(|entry| &entry.event));
        let mut shown = CustomerRecord::of(record, &self.catalog);
        let view = CustomerView::new(&record.customer, &state, &self.catalog, Vec::new(), &[]);
        let mut payments = view.payments;
        let until = payments
            .len()
            .saturating_sub(page.saturating_sub(1).saturating_mul(PAGE));
        payments.truncate(until);
        let earlier = until.saturating_sub(PAGE);
        shown.payments = payments.split_off(earlier);
        shown.earlier_payments = earlier;
        Ok(shown)
    }
}

impl CustomerRecord {
    fn of(record: &Record, catalog: &Catalog) -> Self {
        let state = &record.folded.state;
        let view = CustomerView::new(&record.customer, state, catalog, Vec::new(), &[]);
        Self {
            customer: view.customer,
            subscriptions: view.subscriptions,
            payments: view.payments,
            earlier_payments: usize::try_from(state.payments.closed).unwrap_or(usize::MAX),
            failed_invoices: view.failed_invoices,
            attribution: view.attribution,
            referral_codes: view.referral_codes,
            events: record.folded.count,
            unclear_events: state.unclear,
        }
    }
}

/// Which page of all payments is asked for: the first holds the latest.
fn payments_page(query: &str) -> Result<Option<usize>, Refusal> {
    if query.is_empty() {
        return Ok(None);
    }
    let number = query.strip_prefix("payments=").ok_or(Refusal::Query {
        what: "has a name that this address does not know; there is `payments=1`",
    })?;
    match number.parse() {
        Ok(page @ 1..=MAX_PAGE) => Ok(Some(page)),
        Ok(_) | Err(_) => Err(Refusal::Query {
            what: "asks for no page: pages of payments are numbered from 1 to 1000",
        }),
    }
}

const MAX_PAGE: usize = 1000;
/// RFC 5321: no address is longer.
const MAX_EMAIL: usize = 254;
