//! A platform that takes its time, and then asks to be left alone: the lane has gone on by then.

use std::sync::atomic::AtomicU32;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::forwarder::Call as Wanted;

/// Answers every call after a while, with a 503 that asks for a minute; and how many it has had.
async fn busy() -> (std::net::SocketAddr, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, calls) = (listener.local_addr().unwrap(), Arc::new(AtomicU32::new(0)));
    let counted = Arc::clone(&calls);
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let _head = connection.read(&mut [0; 4096]).await.unwrap();
                tokio::time::sleep(Duration::from_millis(200)).await;
                let reply =
                    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n";
                connection.write_all(reply.as_bytes()).await.ok();
            });
        }
    });
    (address, calls)
}

/// A lane whose platform is busy, and how many calls that has had.
async fn line() -> (Line, Arc<AtomicU32>) {
    let (address, calls) = busy().await;
    (Line::of(|platform| platform.base_url = format!("http://{address}")).await, calls)
}

/// Waits until the next answer's call has been put off for long, which is not made before.
async fn rests(line: &Line, calls: &AtomicU32) {
    line.send().await;
    let now = line.clock.now();
    let put_off = |report: &LaneReport| {
        report.next_call.is_some_and(|next| next.duration_since(now) > SignedDuration::from_secs(30))
    };
    tokio::time::timeout(DEADLINE, line.report.clone().wait_for(put_off)).await.unwrap().unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_report_that_is_refused_late_is_heard() {
    let (line, calls) = line().await;
    let touchpoint = line.surveys.borrow()[0].touchpoint.clone();
    let to = line.clock.now();
    let from = to.checked_sub(SignedDuration::from_hours(1)).unwrap();
    // Whoever asked hears of it when the lane has gone on.
    let asking = line.desk.ask(Wanted::GetNps { touchpoint, from, to, filters: Vec::new() });
    tokio::time::timeout(DEADLINE, asking).await.unwrap().unwrap();
    rests(&line, &calls).await;
}

#[tokio::test]
async fn a_look_up_that_is_refused_late_is_heard() {
    let (mut line, calls) = line().await;
    line.end().await;
    line.send().await;
    let (main, now) = (PlatformName::new("main"), line.clock.now());
    let entry = line.queue.reserve(&main, now, &[]).await.unwrap().unwrap();
    line.queue.settle(&main, entry.id, Settlement::Unknown(now), Attempt::interrupted(now)).await.unwrap();
    let next = line.successor();
    line.report = next.report();
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(next.run(stopped));
    seen(async || line.counted().await.pop()).await.unwrap();
    rests(&line, &calls).await;
}
