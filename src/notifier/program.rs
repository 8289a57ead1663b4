//! Runs a program for a notifier: without a shell, without privileges, bounded in time and output.
//!
//! The program gets a process group of its own, which is killed when its time is over and when it has ended. It is started
//! and waited for by a thread of its own, which first gives up all capabilities (capabilities(7)) and the way to new ones
//! (PR_SET_NO_NEW_PRIVS of prctl(2)): both belong to a thread, and the program inherits them from it.

use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::io::{retry_on_intr, Errno};
use rustix::pipe::{pipe_with, PipeFlags};
use rustix::process::{kill_process_group, waitid, Pid, Signal, WaitId, WaitIdOptions};
use rustix::thread::{self, CapabilitiesSecureBits, CapabilitySet, CapabilitySets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::sync::oneshot;

use peripety_api::sanitize::visible;

/// Bytes of the output that are kept: the last ones.
const MAX_OUTPUT: usize = 2048;
/// How long output is awaited from processes that left the program's process group.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);

/// What became of a program.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ended.
    Ended(ExitStatus),
    /// Its time was over, and it was killed.
    TimedOut,
}

/// A program that runs. When this is dropped, it is killed.
#[derive(Debug)]
pub struct Program {
    group: Group,
    stdin: Option<ChildStdin>,
    ended: oneshot::Receiver<io::Result<ExitStatus>>,
    output: OutputTail,
}

impl Program {
    /// Starts a program with only this environment. Blocks on the file system of the program.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn start(mut command: Command) -> io::Result<Self> {
        let (output, other_end) = pipe_with(PipeFlags::CLOEXEC)?;
        command
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(other_end.try_clone()?)
            .stderr(other_end);
        let (sender, started) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        std::thread::Builder::new().name("program".into()).spawn(move || {
            let started = give_up_privileges().and_then(|()| command.spawn());
            // It holds the other end of the output.
            drop(command);
            let started = started.and_then(|mut child| Ok((child.stdin.take(), Members::new(child)?)));
            match started {
                Ok((stdin, members)) => {
                    let members = Arc::new(members);
                    // If the waiting future was dropped, the program is killed here.
                    let _ = sender.send(Ok((stdin, Group(members.clone()))));
                    let _ = end.send(members.wait());
                }
                Err(e) => drop(sender.send(Err(e))),
            }
        })?;
        let (stdin, group) = started.await.map_err(io::Error::other)??;
        let output = OutputTail { pipe: pipe::Receiver::from_owned_fd(output)?, kept: Vec::new() };
        Ok(Program { group, stdin, ended, output })
    }

    /// Gives it its input and waits until it has ended, or kills it when its time is over. Returns what it printed last,
    /// too, made visible.
    ///
    /// # Errors
    /// The system refused something that always works.
    pub async fn finish(mut self, input: &[u8], limit: Duration) -> io::Result<(Outcome, String)> {
        let write = async {
            if let Some(stdin) = self.stdin.take() {
                // A program need not read it: what it returns is what counts.
                let _ = write(stdin.into(), input).await;
            }
            pending::<()>().await;
        };
        let read = async {
            self.output.read().await;
            pending::<()>().await;
        };
        let ended = tokio::select! {
            ended = &mut self.ended => Some(ended),
            () = write => None,
            () = read => None,
            () = tokio::time::sleep(limit) => None,
        };
        let outcome = match ended {
            Some(status) => Outcome::Ended(status.map_err(io::Error::other)??),
            None => {
                self.group.0.kill();
                // One that hangs in the kernel does not die; no other one is started meanwhile.
                (&mut self.ended).await.map_err(io::Error::other)??;
                Outcome::TimedOut
            }
        };
        let _ = tokio::time::timeout(OUTPUT_TIMEOUT, self.output.read()).await;
        Ok((outcome, self.output.text()))
    }
}

async fn write(pipe: OwnedFd, input: &[u8]) -> io::Result<()> {
    pipe::Sender::from_owned_fd(pipe)?.write_all(input).await
}

/// A program and the processes that it started, as far as they stay in its process group: killed when this is dropped.
#[derive(Debug)]
struct Group(Arc<Members>);

impl Drop for Group {
    fn drop(&mut self) {
        self.0.kill();
    }
}

#[derive(Debug)]
struct Members {
    pid: Pid,
    /// `None` when it was waited for: its number may belong to another process then.
    child: Mutex<Option<Child>>,
}

impl Members {
    fn new(child: Child) -> io::Result<Self> {
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)?;
        Ok(Members { pid, child: Mutex::new(Some(child)) })
    }

    fn kill(&self) {
        self.kill_unless_waited_for(&self.lock());
    }

    fn kill_unless_waited_for(&self, child: &Option<Child>) {
        if child.is_some() {
            let _ = kill_process_group(self.pid, Signal::KILL);
        }
    }

    /// Waits until the program exits, and kills the processes that it left behind.
    fn wait(&self) -> io::Result<ExitStatus> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        retry_on_intr(|| waitid(WaitId::Pid(self.pid), options))?;
        let mut child = self.lock();
        self.kill_unless_waited_for(&child);
        child.take().ok_or(Errno::CHILD)?.wait()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of what a program prints.
#[derive(Debug)]
struct OutputTail {
    pipe: pipe::Receiver,
    kept: Vec<u8>,
}

impl OutputTail {
    /// Reads until the pipe is closed. Cancel safe.
    async fn read(&mut self) {
        let mut buffer = [0; 1024];
        while let Ok(length @ 1..) = self.pipe.read(&mut buffer).await {
            self.kept.extend(buffer.iter().take(length));
            let surplus = self.kept.len().saturating_sub(MAX_OUTPUT);
            self.kept.drain(..surplus);
        }
    }

    fn text(&self) -> String {
        visible(String::from_utf8_lossy(&self.kept).trim()).into_owned()
    }
}

/// The thread, and what it starts, has no capabilities and gets none with execve(2).
fn give_up_privileges() -> io::Result<()> {
    if thread::capabilities(None)?.effective.contains(CapabilitySet::SETPCAP) {
        // Else a program of root would get all that are in the bounding set.
        let bits = CapabilitiesSecureBits::NO_ROOT
            | CapabilitiesSecureBits::NO_ROOT_LOCKED
            | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
            | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED;
        thread::set_capabilities_secure_bits(bits)?;
        for capability in (0..u64::BITS).map(|n| CapabilitySet::from_bits_retain(1 << n)) {
            match thread::capability_is_in_bounding_set(capability) {
                Ok(true) => thread::remove_capability_from_bounding_set(capability)?,
                Ok(false) => {}
                // The kernel knows no more.
                Err(_) => break,
            }
        }
    }
    thread::clear_ambient_capability_set()?;
    let none = CapabilitySet::empty();
    thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    thread::set_no_new_privs(true)?;
    Ok(())
}
