//! Table tests of [`parse`]. "Now" is Thursday, 2026-05-21 12:00:00 in Berlin (UTC+2).
#![allow(clippy::unwrap_used)]

use super::*;

fn now() -> Zoned {
    "2026-05-21T12:00:00[Europe/Berlin]".parse().unwrap()
}

/// Microseconds of an RFC 3339 time, by jiff's own parser.
fn at(rfc3339: &str) -> u64 {
    rfc3339.parse::<jiff::Timestamp>().unwrap().as_microsecond().try_into().unwrap()
}

#[test]
fn accepted() {
    let table = [
        ("2026-05-21 18:17:16", "2026-05-21T16:17:16Z"),
        ("  2026-05-21 18:17:16 ", "2026-05-21T16:17:16Z"),
        ("2026-05-21 18:17", "2026-05-21T16:17:00Z"),
        ("2026-05-21 18:17:16.123", "2026-05-21T16:17:16.123Z"),
        ("2026-05-21 18:17:16.1234567", "2026-05-21T16:17:16.123456Z"),
        ("2026-05-21", "2026-05-20T22:00:00Z"),
        ("26-05-21", "2026-05-20T22:00:00Z"),
        ("99-01-01", "1998-12-31T23:00:00Z"),
        ("18:17", "2026-05-21T16:17:00Z"),
        ("18:17:16", "2026-05-21T16:17:16Z"),
        ("18:17:16.5", "2026-05-21T16:17:16.5Z"),
        // A winter date has the winter offset.
        ("2026-01-02 03:04:05", "2026-01-02T02:04:05Z"),
        ("today", "2026-05-20T22:00:00Z"),
        ("yesterday", "2026-05-19T22:00:00Z"),
        ("tomorrow", "2026-05-21T22:00:00Z"),
        ("today UTC", "2026-05-21T00:00:00Z"),
        ("now", "2026-05-21T10:00:00Z"),
        ("-2h", "2026-05-21T08:00:00Z"),
        ("- 2h", "2026-05-21T08:00:00Z"),
        ("-1h 30min", "2026-05-21T08:30:00Z"),
        ("+5min", "2026-05-21T10:05:00Z"),
        ("-90", "2026-05-21T09:58:30Z"),
        ("2h ago", "2026-05-21T08:00:00Z"),
        ("1week 2days ago", "2026-05-12T10:00:00Z"),
        ("3h left", "2026-05-21T13:00:00Z"),
        ("@1716312345", "2024-05-21T17:25:45Z"),
        ("@1716312345.25", "2024-05-21T17:25:45.25Z"),
        ("2026-05-21T18:17:16Z", "2026-05-21T18:17:16Z"),
        ("2026-05-21t18:17:16.5z", "2026-05-21T18:17:16.5Z"),
        ("2026-05-21T18:17:16+05:30", "2026-05-21T12:47:16Z"),
        ("2026-05-21T18:17:16-0500", "2026-05-21T23:17:16Z"),
        ("2026-05-21T18:17:16", "2026-05-21T16:17:16Z"),
        ("2026-05-21 18:17:16 +02", "2026-05-21T16:17:16Z"),
        ("2026-05-21 18:17:16 UTC", "2026-05-21T18:17:16Z"),
        ("2026-05-21 18:17:16Z", "2026-05-21T18:17:16Z"),
        ("2026-05-21 UTC", "2026-05-21T00:00:00Z"),
        ("18:17 UTC", "2026-05-21T18:17:00Z"),
        ("2026-05-21 18:17:16 Asia/Tokyo", "2026-05-21T09:17:16Z"),
        ("2026-05-21 18:17:16 CEST", "2026-05-21T16:17:16Z"),
        ("2026-01-21 18:17:16 CET", "2026-01-21T17:17:16Z"),
        ("Thu 2026-05-21 18:17:16", "2026-05-21T16:17:16Z"),
        ("thursday 2026-05-21", "2026-05-20T22:00:00Z"),
        ("Thu, 2026-05-21 18:17:16 UTC", "2026-05-21T18:17:16Z"),
        // 02:30 does not exist on the day when clocks go forward …
        ("2026-03-29 02:30:00", "2026-03-29T01:30:00Z"),
        // … and comes twice when they go back.
        ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25 02:30:00 CEST", "2026-10-25T00:30:00Z"),
        ("2026-10-25 02:30:00 CET", "2026-10-25T01:30:00Z"),
        // Nothing was logged before 1970.
        ("1969-07-20", "1970-01-01T00:00:00Z"),
        ("-100y", "1970-01-01T00:00:00Z"),
    ];
    for (text, expected) in table {
        assert_eq!(parse(text, &now()), Ok(at(expected)), "{text}");
    }
}

#[test]
fn refused() {
    let not_a_time = [
        "",
        " ",
        "soon",
        "2026",
        "2026-13-01",
        "2026-02-30",
        "2026-5",
        "2026-05-21-1",
        "25:00",
        "18",
        "18:17:16:1",
        "18:61",
        "18:17.5",
        "18:17:16.",
        "18:17:16.x",
        "@",
        "@x",
        "@-5",
        "@5 min",
        "-",
        "+",
        "-2x",
        "ago",
        "2 ago ago",
        "Thu",
        "2026-05-21 18:17:16 19:00",
        "20260521",
        "２０２６-05-21",
        "+2026-05-21",
        "2026-05-21T",
        "126-05-21",
    ];
    for text in not_a_time {
        assert_eq!(parse(text, &now()), Err(TimeError::NotATime), "{text}");
    }
    for zone in ["Mars/Olympus", "+2", "+02:0", "+24:00", "+02:60", "+é1", "-00:0é"] {
        let error = parse(&format!("2026-05-21 18:17:16 {zone}"), &now());
        assert_eq!(error, Err(TimeError::Zone(zone.to_owned())));
    }
    assert_eq!(
        parse("Mon 2026-05-21", &now()),
        Err(TimeError::Weekday { date: civil::date(2026, 5, 21), actual: Weekday::Thursday })
    );
    assert_eq!(parse("+999999999999y", &now()), Err(TimeError::OutOfRange));
}

#[test]
fn messages_say_what_is_accepted() {
    let message = parse("soon", &now()).unwrap_err().to_string();
    for form in ["2026-05-21 18:17:16", "yesterday", "-2h", "ago", "@1716312345"] {
        assert!(message.contains(form), "{message}");
    }
    let message = parse("Mon 2026-05-21", &now()).unwrap_err().to_string();
    assert_eq!(message, "2026-05-21 is a Thursday: correct the day of the week or leave it out");
}
