//! A row of what the shop is told, as the table keeps it. Its type is the domain's.

use crate::items::key::Key;
use crate::items::stored_item::{StoredItem, fields_by_serde};
use domain::notice::shop::row::ShopNoticeRow;
use domain::notice::{Notice, of_shop_notice};

impl StoredItem for ShopNoticeRow {
    fn type_name(&self) -> &'static str {
        "shop_notice"
    }

    fn key(&self) -> Key {
        Key::shop_notice(self)
    }

    fields_by_serde!();

    fn notices(&self) -> Vec<Notice> {
        vec![of_shop_notice(self)]
    }
}
