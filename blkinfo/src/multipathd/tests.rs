//! Servers that answer, and servers that do not behave.

use std::io::{Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::*;
use crate::Tree;

/// Slower than this is no answer in time, on a busy machine too.
const SOON: Duration = Duration::from_secs(2);

/// A name for a server that no other test has.
fn name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("blkinfo-multipathd-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn client(name: &str, patience: Duration) -> Multipathd {
    let places = vec![SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap()];
    Multipathd { places, patience, uid: own_uid() }
}

fn listener(name: &str) -> UnixListener {
    UnixListener::bind_addr(&SocketAddr::from_abstract_name(name.as_bytes()).unwrap()).unwrap()
}

/// The question of a client, as multipathd reads it.
fn question(stream: &mut UnixStream) -> String {
    let mut length = [0; LENGTH];
    stream.read_exact(&mut length).unwrap();
    let mut text = vec![0; usize::from_ne_bytes(length)];
    stream.read_exact(&mut text).unwrap();
    assert_eq!(text.pop(), Some(0));
    String::from_utf8(text).unwrap()
}

const LENGTH: usize = size_of::<usize>();

fn reply(text: &str) -> Vec<u8> {
    [&(text.len() + 1).to_ne_bytes(), text.as_bytes(), b"\0"].concat()
}

/// What a client hears from a server that does this with its connection.
fn heard(
    patience: Duration,
    serve: impl FnOnce(UnixStream) + Send + 'static,
) -> HashMap<String, &'static str> {
    let name = name();
    let listener = listener(&name);
    let server = thread::spawn(move || serve(listener.accept().unwrap().0));
    let begin = Instant::now();
    let states = client(&name, patience).states();
    assert!(begin.elapsed() < patience + SOON, "{:?}", begin.elapsed());
    server.join().unwrap();
    states
}

/// Sends whatever comes of it: the client may be gone.
fn send_all(stream: &mut UnixStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

#[test]
fn states_of_paths() {
    let text = "dev dm_st \nsdb active\nsdc failed\nsdd undef \nnvme0n1 active\n";
    let states = heard(SOON, move |mut stream| {
        assert_eq!(question(&mut stream), "show paths format \"%d %t\"");
        // In pieces: the length in two, the text in more.
        for piece in reply(text).chunks(5) {
            send_all(&mut stream, piece);
            thread::sleep(Duration::from_millis(1));
        }
    });
    let expected = [("sdb", "active"), ("sdc", "failed"), ("nvme0n1", "active")];
    assert_eq!(states, expected.into_iter().map(|(name, state)| (name.to_owned(), state)).collect());
    assert_eq!(states_in("sdb [active]\n").get("sdb"), Some(&"active"), "as older ones print it");
}

/// What multipathd 0.9.4 answers, of a path in no map, and without any path.
#[test]
fn as_a_real_one_answers() {
    assert!(states_in("dev   dm_st\nloop0 undef\n").is_empty());
    assert!(states_in("ok\n").is_empty());
    // The one of this machine, if there is one.
    let deadline = Instant::now() + SOON;
    let mut places = Multipathd::default().places.into_iter();
    match places.find_map(|place| exchange::ask(&place, 0, QUESTION, deadline)) {
        Some(answer) => assert!(answer == "ok\n" || answer.starts_with("dev "), "{answer:?}"),
        None => eprintln!("no multipathd is here to be asked"),
    }
}

#[test]
fn excuses_tell_nothing() {
    for text in ["fail\n", "timeout\n", "permission deny: need to be root\n", "", "sdb\nsdc active too\n \n"]
    {
        let states = heard(SOON, move |mut stream| {
            question(&mut stream);
            send_all(&mut stream, &reply(text));
        });
        assert!(states.is_empty(), "{text:?}: {states:?}");
    }
}

#[test]
fn servers_that_do_not_behave() {
    let short = Duration::from_millis(50);
    let whole = reply("sdb active\n");
    let cut = whole.get(..whole.len() - 3).unwrap().to_vec();
    let huge = [usize::MAX.to_ne_bytes().as_slice(), &[b'x'; 100_000]].concat();
    let text_garbage = [4usize.to_ne_bytes().as_slice(), b"\xff\xfe\xfd\0"].concat();
    let garbage: Vec<u8> = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for bytes in [cut, huge, text_garbage, garbage, 0usize.to_ne_bytes().to_vec(), vec![1], Vec::new()] {
        let text = format!("{:?}", bytes.get(..bytes.len().min(16)));
        // It closes.
        let (sent, kept) = (bytes.clone(), bytes);
        let states = heard(SOON, move |mut stream| send_all(&mut stream, &sent));
        assert!(states.is_empty(), "{text}: {states:?}");
        // It stays silent after that.
        let states = heard(short, move |mut stream| {
            send_all(&mut stream, &kept);
            thread::sleep(short * 2);
        });
        assert!(states.is_empty(), "{text}: {states:?}");
    }
}

/// A byte every few milliseconds never lets the wait time out, but the whole has its end.
#[test]
fn a_server_that_drips() {
    let states = heard(Duration::from_millis(60), |mut stream| {
        for byte in reply(&"sdb active\n".repeat(100)) {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    });
    assert!(states.is_empty(), "{states:?}");
}

#[test]
fn an_endless_answer_is_not_kept() {
    let states = heard(SOON, |mut stream| {
        send_all(&mut stream, &usize::MAX.to_ne_bytes());
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    assert!(states.is_empty());
}

#[test]
fn nobody_accepts_or_nobody_is_there() {
    let begin = Instant::now();
    assert!(client(&name(), SOON).states().is_empty());
    let name = name();
    let listener = listener(&name);
    // More than the queue holds.
    let waiting: Vec<_> = (0..300).map(|_| client(&name, Duration::ZERO).states()).collect();
    assert!(waiting.iter().all(HashMap::is_empty));
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    drop(listener);
}

/// The second socket is tried if nobody listens on the first one. Answers of a stranger are ignored.
#[test]
fn who_listens() {
    let (first, second) = (name(), name());
    let listener = listener(&second);
    let places = [first, second].map(|name| SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap());
    let serve = move || {
        let (mut stream, _) = listener.accept().unwrap();
        question(&mut stream);
        send_all(&mut stream, &reply("sdb active\n"));
        listener
    };
    let server = thread::spawn(serve);
    let asking = Multipathd { places: places.to_vec(), patience: SOON, uid: own_uid() };
    assert_eq!(asking.states().len(), 1);
    let _listener = server.join().unwrap();
    let stranger = Multipathd { uid: own_uid() + 1, ..asking };
    assert!(stranger.states().is_empty());
}

fn map() -> (Tree, BlockInfo) {
    let text = include_str!("../../tests/fixtures/fc-multipath/tree.txt");
    let tree = Tree::recorded(text).unwrap();
    let map = tree.block("dm-2").unwrap();
    (tree, map)
}

#[test]
fn paths_of_maps_get_their_states() {
    let name = name();
    let listener = listener(&name);
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        question(&mut stream);
        send_all(&mut stream, &reply("sdd failed\n"));
    });
    let (tree, map) = map();
    assert!(map.paths.iter().all(|path| path.dm_state.is_none()), "not asked");
    let mut topology = tree.topology("sdd").unwrap();
    client(&name, SOON).complete_topology(&mut topology);
    server.join().unwrap();
    let above = topology.all_above();
    let states =
        above.first().unwrap().paths.iter().map(|path| (path.kdev.as_str(), path.dm_state.as_deref()));
    let states: Vec<_> = states.collect();
    assert_eq!(states, [("sdd", Some("failed")), ("sdh", Some("unknown"))]);
}

#[test]
fn without_a_map_nobody_is_asked() {
    let name = name();
    let listener = listener(&name);
    listener.set_nonblocking(true).unwrap();
    let (tree, _) = map();
    let mut disk = tree.block("vda").unwrap();
    client(&name, SOON).complete([&mut disk]);
    assert!(listener.accept().is_err());
}
