//! The design's style, held by a test.

fn main() {}
