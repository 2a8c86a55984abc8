//! Who ran, and in which order.

/// All of these, with or without those who may be missing.
pub(crate) fn subsets(members: &[usize], spared: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for member in members {
        let with: Vec<Vec<usize>> = all
            .iter()
            .map(|subset: &Vec<usize>| [&subset[..], &[*member]].concat())
            .collect();
        if !spared.contains(member) {
            all.clear();
        }
        all.extend(with);
    }
    all
}

/// All of these in every order.
pub(crate) fn orders(members: &[usize]) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for member in members {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..=order.len()).map(move |place| {
                    let mut order = order.clone();
                    order.insert(place, *member);
                    order
                })
            })
            .collect();
    }
    orders
}
