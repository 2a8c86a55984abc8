//! What the provider's customer object says of a person, and what other objects say, together.

use crate::scenarios::new_event;
use domain::event::Fact;
use domain::person::{Person, Profile, ProfileField};
use domain::state::fold::fold;

fn person(profiles: &[(i64, &Profile)]) -> Person {
    let event = |(second, profile): &(i64, &Profile)| {
        let facts = vec![Fact::Profile((*profile).clone())];
        new_event(&format!("evt_{second}"), *second, 1, facts)
    };
    let events: Vec<_> = profiles.iter().map(event).collect();
    fold(&events).person
}

fn all_of_it(complete: bool) -> Profile {
    Profile {
        complete,
        email: Some("ada@example.org".into()),
        name: Some("Ada".into()),
        locale: Some("fr".into()),
        country: Some("FR".into()),
        ..Profile::default()
    }
}

fn fields(person: &Person) -> [Option<&str>; 4] {
    [
        person.email(),
        person.name(),
        person.locale(),
        person.country(),
    ]
}

#[test]
fn what_the_customer_object_says_is_empty_is_empty_whatever_older_objects_show() {
    use ProfileField::{Country, Email, Locale, Name};
    let nothing = Profile {
        complete: true,
        empty: [Email, Name, Locale, Country].into(),
        ..Profile::default()
    };
    let (whole, seen) = (all_of_it(true), all_of_it(false));
    for order in [
        [(1, &whole), (2, &seen), (3, &nothing)],
        [(1, &whole), (2, &nothing), (3, &seen)],
    ] {
        assert_eq!(fields(&person(&order)), [None; 4]);
    }
    let back = person(&[(1, &seen), (2, &nothing), (3, &whole)]);
    assert_eq!(back.email(), Some("ada@example.org"), "it was given again");
}

#[test]
fn what_the_customer_object_leaves_out_is_what_other_objects_say() {
    let silent = Profile {
        complete: true,
        name: Some("Countess".into()),
        ..Profile::default()
    };
    let seen = all_of_it(false);
    let person = person(&[(1, &seen), (2, &silent)]);
    assert_eq!(person.name(), Some("Countess"));
    assert_eq!(person.email(), Some("ada@example.org"));
}
