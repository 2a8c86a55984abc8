//! The pages as their readers meet them: over HTTP, on a running stack.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::print_stdout
)]
// Helpers of tests fail loudly; the lints' exception covers test functions alone.

mod customer_command;
mod doctor;
mod killed_process;
mod load;
mod endpoints;
mod invalid_commands;
mod parsed_page;
mod partners;
mod referrals_command;
mod send_command;
mod shop_keys;
mod stage_roots;
mod namespaces;
mod connect_command;
mod shop_file;
mod payouts;
mod accounts;
mod page_contents;
mod support;
mod command_line;
