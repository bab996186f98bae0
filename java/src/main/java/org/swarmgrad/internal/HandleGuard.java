// Keeps a native handle from being used after it is closed, or by two threads at once: errors in
// place of a dead JVM.
package org.swarmgrad.internal;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.swarmgrad.BusyException;

final class HandleGuard {
  private final String name;
  private final AtomicReference<Thread> user = new AtomicReference<>();
  private boolean closed;

  HandleGuard(String name) {
    this.name = name;
  }

  /** Runs `call` as the handle's only user. */
  <T> T use(Supplier<T> call) {
    enter();
    try {
      requireOpen();
      return call.get();
    } finally {
      user.set(null);
    }
  }

  void use(Runnable call) {
    use(
        () -> {
          call.run();
          return null;
        });
  }

  /** Runs a short `call` beside a possible user; the handle stays open meanwhile. */
  synchronized <T> T beside(Supplier<T> call) {
    if (closed) {
      throw closedFailure();
    }
    return call.get();
  }

  /** Runs `destroy` the first time only. */
  void close(Runnable destroy) {
    enter();
    try {
      closeOnce(destroy);
    } finally {
      user.set(null);
    }
  }

  private synchronized void closeOnce(Runnable destroy) {
    if (!closed) {
      closed = true;
      destroy.run();
    }
  }

  private synchronized void requireOpen() {
    if (closed) {
      throw closedFailure();
    }
  }

  private void enter() {
    Thread other = user.compareAndExchange(null, Thread.currentThread());
    if (other != null) {
      throw new BusyException(
          "the "
              + name
              + " is in use by thread '"
              + other.getName()
              + "'; it serves one thread at a time");
    }
  }

  private IllegalStateException closedFailure() {
    return new IllegalStateException("the " + name + " is closed; open a new one");
  }
}
