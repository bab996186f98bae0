// The guard in front of native handles: one user at a time, nothing after closing, closing once.
package org.swarmgrad.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.swarmgrad.BusyException;

class HandleGuardTest {
  private final HandleGuard guard = new HandleGuard("engine");

  @Test
  void refusesEverythingAfterClosingAndClosesOnce() {
    AtomicInteger destroyed = new AtomicInteger();
    guard.close(destroyed::incrementAndGet);
    guard.close(destroyed::incrementAndGet);
    assertThat(destroyed).hasValue(1);
    assertThatThrownBy(() -> guard.use(() -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("the engine is closed; open a new one");
    assertThatThrownBy(() -> guard.beside(() -> 1)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void refusesASecondThreadAndServesItAfterwards() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch leave = new CountDownLatch(1);
    Thread user =
        new Thread(
            () ->
                guard.use(
                    () -> {
                      inside.countDown();
                      await(leave);
                    }),
            "first");
    user.start();
    inside.await();
    assertThatThrownBy(() -> guard.use(() -> {}))
        .isInstanceOf(BusyException.class)
        .hasMessage("the engine is in use by thread 'first'; it serves one thread at a time");
    assertThatThrownBy(() -> guard.close(() -> {})).isInstanceOf(BusyException.class);
    assertThat(guard.<Integer>beside(() -> 5)).isEqualTo(5);
    leave.countDown();
    user.join();
    assertThat(guard.<Integer>use(() -> 6)).isEqualTo(6);
  }

  @Test
  void isFreeAgainAfterAFailure() {
    assertThatThrownBy(
            () ->
                guard.use(
                    () -> {
                      throw new IllegalArgumentException("no");
                    }))
        .hasMessage("no");
    assertThat(guard.<Integer>use(() -> 1)).isEqualTo(1);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException failure) {
      throw new AssertionError(failure);
    }
  }
}
