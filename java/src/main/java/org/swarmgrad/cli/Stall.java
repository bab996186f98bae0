// Ends the process where an environment never returns: one line, status 1, and the run folder as
// the last checkpoint left it.
package org.swarmgrad.cli;

import java.time.Duration;
import org.swarmgrad.Engine;
import org.swarmgrad.Heartbeat;
import org.swarmgrad.Watchdog;

final class Stall {
  /** Seconds without the end of a step that are taken for an endless loop. */
  static final String PROPERTY = "org.swarmgrad.watchdog.seconds";

  private Stall() {}

  /** Until the engine is closed. */
  static void watch(Engine engine, Terminal terminal) {
    double seconds = Arguments.parseDouble(PROPERTY, System.getProperty(PROPERTY, "60"));
    Watchdog.watch(
        engine,
        Duration.ofNanos((long) (seconds * 1e9)),
        heartbeat -> end(engine, heartbeat, seconds, terminal));
  }

  /** No shutdown hook and no finally block runs: they would wait for the thread that is lost. */
  private static void end(Engine engine, Heartbeat heartbeat, double seconds, Terminal terminal) {
    terminal.note(
        "swarmgrad: %s, iteration %d: no step has ended for %s s; the environment does not return"
            + " (an endless loop?), the process ends",
        engine.config().environment(), heartbeat.iteration(), seconds);
    terminal.out().flush();
    terminal.err().flush();
    Runtime.getRuntime().halt(Command.FAILURE);
  }
}
