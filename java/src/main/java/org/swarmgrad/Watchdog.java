// Notices that a native call has stopped moving, which only an environment that never returns does.
package org.swarmgrad;

import java.time.Duration;
import java.util.function.Consumer;

/**
 * Watches one engine from a daemon thread of its own. Native code cannot be interrupted: the thread
 * inside it is lost, and with it the engine, which must not be closed any more. What is left to a
 * program is to say so, to keep what it has, and to end with {@link Runtime#halt}; the report comes
 * in the watchdog's thread because no exception can reach the other one. An environment written in
 * Java is interrupted instead, by the engine itself.
 */
public final class Watchdog implements AutoCloseable {
  private static final long LONGEST_LOOK_NANOS = Duration.ofSeconds(1).toNanos();
  private static final int LOOKS = 20;

  private final Engine engine;
  private final Duration patience;
  private final Consumer<Heartbeat> report;
  private final Thread thread = new Thread(this::look, "swarmgrad-watchdog");

  private Watchdog(Engine engine, Duration patience, Consumer<Heartbeat> report) {
    this.engine = engine;
    this.patience = patience;
    this.report = report;
  }

  /**
   * Watches an engine until this or the engine is closed.
   *
   * @param engine to watch
   * @param patience how long no step may end, for example a minute; a step of one cohort takes
   *     milliseconds
   * @param report called once, in another thread, when the patience is over
   * @return the watchdog
   */
  public static Watchdog watch(Engine engine, Duration patience, Consumer<Heartbeat> report) {
    Watchdog watchdog =
        new Watchdog(
            Checks.present("engine", engine),
            Checks.patience(patience),
            Checks.present("report", report));
    watchdog.thread.setDaemon(true);
    watchdog.thread.start();
    return watchdog;
  }

  private void look() {
    Heartbeat stalled;
    try {
      stalled = awaitStall();
    } catch (InterruptedException | IllegalStateException closed) {
      return; // this, or the engine
    }
    report.accept(stalled);
  }

  /**
   * Counts looks, not time: a process that was stopped for a while, and goes on, has not stalled.
   */
  private Heartbeat awaitStall() throws InterruptedException {
    long nanos = Math.clamp(patience.toNanos() / LOOKS, 1_000_000, LONGEST_LOOK_NANOS);
    Heartbeat last = engine.heartbeat();
    for (long still = 0; still < patience.toNanos(); ) {
      Thread.sleep(Duration.ofNanos(nanos));
      Heartbeat now = engine.heartbeat();
      still = now.running() && now.beats() == last.beats() ? still + nanos : 0;
      last = now;
    }
    return last;
  }

  @Override
  public void close() {
    thread.interrupt();
  }
}
