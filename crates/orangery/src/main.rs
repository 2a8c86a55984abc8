//! The command `orangery`.

fn main() {}
