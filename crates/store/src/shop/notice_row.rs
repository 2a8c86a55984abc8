//! A row of what the shop is told, as the table keeps it. Its type is the domain's.

use crate::error::StoreError;
use crate::items::attributes::{Attributes, from_fields, to_fields};
use crate::items::key::Key;
use crate::items::stored_item::StoredItem;
use domain::notice::shop::row::ShopNoticeRow;
use domain::notice::{Notice, of_shop_notice};

impl StoredItem for ShopNoticeRow {
    fn type_name(&self) -> &'static str {
        "shop_notice"
    }

    fn key(&self) -> Key {
        Key::shop_notice(self)
    }

    fn to_fields(&self) -> Result<Attributes, StoreError> {
        to_fields(self)
    }

    fn from_fields(_: &Key, attributes: Attributes) -> Result<Self, String> {
        from_fields(attributes)
    }

    fn notices(&self) -> Vec<Notice> {
        vec![of_shop_notice(self)]
    }
}
