//! Which text is one e-mail address, so that nothing else can ride along with it.

/// Whether this is exactly one address, `local@domain`: of the letters, digits and signs that need
/// no quotes, at a domain name. No second address, no display name, no comment, no line end.
/// Addresses in other scripts and in quotes exist, but the mail service takes none of them.
pub fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let is_atom = |atom: &str| !atom.is_empty() && atom.bytes().all(is_atom_byte);
    let is_local = local.len() <= MAX_LOCAL && local.split('.').all(is_atom);
    text.len() <= MAX_ADDRESS && is_local && is_domain(domain)
}

/// Two labels or more, the last one not a number.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=MAX_LABEL).contains(&label.len())
            && label.bytes().all(is_inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = domain.rsplit_once('.').map(|(_, last)| last);
    domain.split('.').all(is_label)
        && last.is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What RFC 5322 calls `atext`.
fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

const MAX_LOCAL: usize = 64;
const MAX_ADDRESS: usize = 254;
const MAX_LABEL: usize = 63;
