//! `peripetyd parse` on what programs make of logs: zip archives, UTF-16, journal files within archives.

use std::fs;
use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{events, gz, parse, parse_command, tar, text, LOG};
use crate::common::{journal_file, project};

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (index, (name, data)) in files.iter().enumerate() {
        let method = if index % 2 == 0 { CompressionMethod::Deflated } else { CompressionMethod::Stored };
        archive.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(data).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn archives_of_zip_also_within_others() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let files = |name: &str| -> Vec<String> {
        let found = events(&parse(&["-o", "json", name], directory.path()));
        found.iter().map(|event| text(&event["source"], "file")).collect()
    };
    let inner = gz(&tar(&[("sos/dmesg", LOG.as_bytes())]));
    let zip = zipped(&[("logs\\dmesg", LOG.as_bytes()), ("sos.tar.gz", &inner), ("x.png", &[0x89; 3000])]);
    fs::write(at("a.zip"), &zip).unwrap();
    assert_eq!(files("a.zip"), ["a.zip/logs/dmesg", "a.zip/sos.tar.gz/sos/dmesg"]);
    fs::write(at("b.zip"), zipped(&[("a.zip", &zip)])).unwrap();
    assert_eq!(files("b.zip"), ["b.zip/a.zip/logs/dmesg", "b.zip/a.zip/sos.tar.gz/sos/dmesg"]);
    // Deeper than is read.
    fs::write(at("d.zip"), zipped(&[("c.zip", &zipped(&[("b.zip", &zipped(&[("a.zip", &zip)]))]))])).unwrap();
    let said = String::from_utf8(parse(&["d.zip"], directory.path()).stderr).unwrap();
    assert!(said.contains("archives nested too deeply"), "{said}");
    // Cut off, and with damage in it.
    fs::write(at("cut.zip"), &zip[..zip.len() / 2]).unwrap();
    let said = String::from_utf8(parse(&["cut.zip"], directory.path()).stderr).unwrap();
    assert!(said.contains("cut.zip: "), "{said}");
    let mut damaged = zipped(&[("dmesg", LOG.repeat(1000).as_bytes()), ("messages", LOG.as_bytes())]);
    damaged[60] ^= 0xff;
    fs::write(at("damaged.zip"), &damaged).unwrap();
    let output = parse(&["-o", "json", "damaged.zip"], directory.path());
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(said.contains("damaged.zip/dmesg: "), "{said}");
    assert_eq!(text(&events(&output).last().unwrap()["source"], "file"), "damaged.zip/messages");
}

#[test]
fn text_of_windows() {
    let directory = tempfile::tempdir().unwrap();
    let log = format!("\u{feff}{LOG}").replace('\n', "\r\n");
    for (name, order) in [("le.txt", u16::to_le_bytes as fn(u16) -> [u8; 2]), ("be.log", u16::to_be_bytes)] {
        let bytes: Vec<u8> = log.encode_utf16().flat_map(order).collect();
        fs::write(directory.path().join(name), bytes).unwrap();
        let found = events(&parse(&["-o", "json", name], directory.path()));
        assert_eq!((found.len(), text(&found[0], "kdev")), (1, "dm-0".into()), "{name}");
        assert_eq!(found[0]["source"]["lines"], serde_json::json!([1]));
    }
}

/// The events of a journal file are the same in an archive.
#[test]
fn journal_files_within_archives() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let export = fs::read(project("tests/fixtures/offline/export/input.log")).unwrap();
    journal_file(&export, &at("system.journal"));
    let journal = fs::read(at("system.journal")).unwrap();
    let temporary = tempfile::tempdir().unwrap();
    let found_in = |name: &str| -> Vec<(String, String)> {
        let mut command = parse_command(&["-o", "json", name], directory.path());
        let found = events(&command.env("TMPDIR", temporary.path()).output().unwrap());
        found.iter().map(|event| (text(event, "event_id"), text(&event["source"], "file"))).collect()
    };
    let expected = found_in("system.journal");
    assert_eq!(expected.len(), 5);
    fs::write(at("a.tar.gz"), gz(&tar(&[("var/log/journal/m/system.journal", &journal)]))).unwrap();
    fs::write(at("a.zip"), zipped(&[("system.journal", &journal)])).unwrap();
    fs::write(at("system.journal.gz"), gz(&journal)).unwrap();
    for (name, member) in [
        ("a.tar.gz", "/var/log/journal/m/system.journal"),
        ("a.zip", "/system.journal"),
        ("system.journal.gz", ""),
    ] {
        let found = found_in(name);
        assert_eq!(
            found.iter().map(|(id, _)| id).collect::<Vec<_>>(),
            expected.iter().map(|(id, _)| id).collect::<Vec<_>>()
        );
        assert!(found.iter().all(|(_, file)| *file == format!("{name}{member}")), "{found:?}");
    }
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "nothing stays behind");
}
