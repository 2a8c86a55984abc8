//! Wire items in and out of the table.

use super::RawItem;
use std::sync::Arc;

fn raw(bytes: &[u8]) -> RawItem {
    RawItem::from(Arc::<[u8]>::from(bytes))
}

#[test]
fn an_item_is_the_same_after_a_stay_in_the_table() {
    for bytes in [&b""[..], b"{}", &[b' '; 65_536], &[7, 0, 255]] {
        let kept = RawItem::from_packed(raw(bytes).packed().unwrap());
        assert_eq!(&*kept.bytes(), bytes);
        assert_eq!(kept, raw(bytes));
        assert_eq!(kept.packed(), raw(bytes).packed(), "packed as it was");
    }
    assert_ne!(raw(b"{}"), raw(b"[]"));
}

#[test]
fn blanks_take_no_room_until_somebody_asks_for_them() {
    let kept = RawItem::from_packed(raw(&[b' '; 65_536]).packed().unwrap());
    let room = kept.packed().unwrap().len();
    assert!(room < 200, "{room} bytes");
}

#[test]
fn what_cannot_be_unpacked_is_not_lost() {
    let broken = RawItem::from_packed(&b"\xff\xff no deflate"[..]);
    assert_eq!(&*broken.bytes(), b"\xff\xff no deflate");
    // A bomb: more than any endpoint lets in.
    let bomb = raw(&vec![0; 16 * 1024 * 1024]).packed().unwrap();
    assert_eq!(RawItem::from_packed(bomb.clone()).bytes(), bomb);
}
