// Device.AUTO in a program without the CUDA artifact: the CPU, and one line of the log that says
// why.
package org.swarmgrad;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

class AutoDeviceTest {
  /** Keeps messages in place of printing them. */
  private static final class Messages extends Handler {
    private final List<String> all = new ArrayList<>();

    @Override
    public void publish(LogRecord record) {
      all.add(record.getMessage());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  @Test
  void theCpuIsTakenAndTheReasonLoggedOnce() {
    EngineConfig config =
        EngineConfig.builder("meeting").environments(2).backend(Backend.AUTO).build();
    Logger logger = Logger.getLogger("org.swarmgrad");
    Messages messages = new Messages();
    logger.addHandler(messages);
    logger.setUseParentHandlers(false);
    try {
      for (int i = 0; i < 2; i++) {
        try (Engine engine = Engine.open(config)) {
          assertThat(engine.device()).isEqualTo(Device.CPU);
          assertThat(engine.config().device()).isEqualTo(Device.AUTO);
        }
      }
    } finally {
      logger.removeHandler(messages);
      logger.setUseParentHandlers(true);
    }
    assertThat(messages.all)
        .singleElement()
        .asString()
        .startsWith("device auto is cpu: ")
        .isEqualTo("device auto is cpu: " + Swarmgrad.cudaFailure().orElseThrow());
  }
}
