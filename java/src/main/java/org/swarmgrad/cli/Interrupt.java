// Turns Ctrl-C and SIGTERM into a cancelled engine, lets the command finish its checkpoint, and
// ends the process with 130.
package org.swarmgrad.cli;

import java.util.concurrent.CountDownLatch;
import org.swarmgrad.Engine;

/**
 * Active from construction until closed; the command must have printed everything before it closes
 * this.
 */
final class Interrupt implements AutoCloseable {
  private static final int STATUS = 130;

  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread hook = new Thread(this::onShutdown, "swarmgrad-interrupt");
  private Engine engine;
  private boolean requested;

  Interrupt() {
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** From now on an interrupt cancels this engine and waits for the command. */
  synchronized void watch(Engine engine) {
    this.engine = engine;
    if (requested) {
      engine.cancel();
    }
  }

  /** Whether the command is to finish what it does and begin nothing new. */
  synchronized boolean requested() {
    return requested;
  }

  private void onShutdown() {
    if (cancel()) {
      try {
        finished.await();
      } catch (InterruptedException stopped) {
        Thread.currentThread().interrupt();
      }
    }
    System.out.flush();
    System.err.flush();
    Runtime.getRuntime().halt(STATUS);
  }

  /** Whether there is an engine whose command has something to finish. */
  private synchronized boolean cancel() {
    requested = true;
    if (engine == null) {
      return false;
    }
    try {
      engine.cancel();
    } catch (IllegalStateException closed) {
      // The command is past its last native call and about to close this.
    }
    return true;
  }

  @Override
  public void close() {
    finished.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException shuttingDown) {
      // The hook is running and ends the process.
    }
  }
}
