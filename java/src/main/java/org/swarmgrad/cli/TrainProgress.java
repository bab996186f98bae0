// Shows how training goes on standard error: a bar on a terminal, a line now and then elsewhere.
package org.swarmgrad.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.NoSuchElementException;
import java.util.Scanner;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.swarmgrad.Trainer.TrainedBatch;

final class TrainProgress implements AutoCloseable {
  private static final double SECONDS_BETWEEN_LINES = 10;
  private static final int USUAL_WIDTH = 100;

  private final Terminal terminal;
  private final long firstIteration;
  private final long firstAgentSteps;
  private final long iterations;
  private final double seconds;
  private final ProgressBar bar;
  private double nextLine = SECONDS_BETWEEN_LINES;

  /**
   * `iterations` and `seconds` are the limits of this run, Long.MAX_VALUE and infinity where there
   * is none.
   */
  TrainProgress(
      Terminal terminal,
      long firstIteration,
      long firstAgentSteps,
      long iterations,
      double seconds) {
    this.terminal = terminal;
    this.firstIteration = firstIteration;
    this.firstAgentSteps = firstAgentSteps;
    this.iterations = iterations;
    this.seconds = seconds;
    this.bar = System.console() != null && System.console().isTerminal() ? newBar() : null;
  }

  private ProgressBar newBar() {
    ProgressBarBuilder builder =
        new ProgressBarBuilder()
            .setTaskName("training")
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(200)
            .setConsumer(new ConsoleProgressBarConsumer(terminal.err(), terminalWidth()));
    if (iterations != Long.MAX_VALUE) {
      builder.setInitialMax(iterations).setUnit(" iterations", 1);
    } else if (Double.isFinite(seconds)) {
      builder.setInitialMax((long) Math.ceil(seconds)).setUnit(" s", 1);
    } else {
      builder.setInitialMax(-1).setUnit(" iterations", 1);
    }
    return builder.build();
  }

  /**
   * Columns of the terminal. The progress bar could find out itself, through a library that resets
   * the signals' handlers, and Ctrl-C would then kill the process before its checkpoint.
   */
  private static int terminalWidth() {
    try {
      Process stty =
          new ProcessBuilder("stty", "size").redirectInput(Path.of("/dev/tty").toFile()).start();
      try (Scanner rowsAndColumns = new Scanner(stty.getInputStream(), StandardCharsets.US_ASCII)) {
        rowsAndColumns.nextInt();
        int columns = rowsAndColumns.nextInt();
        return columns > 0 ? columns - 1 : USUAL_WIDTH;
      }
    } catch (IOException | NoSuchElementException unknown) {
      return USUAL_WIDTH;
    }
  }

  void show(TrainedBatch batch) {
    long done = batch.iteration() + 1 - firstIteration;
    double speed = (batch.agentSteps() - firstAgentSteps) / batch.seconds();
    String state =
        String.format(
            Locale.ROOT,
            "iteration %d, team return %.2f, %.2f M agent-steps/s",
            batch.iteration() + 1,
            batch.teamReturnMean(),
            speed * 1e-6);
    if (bar != null) {
      boolean timed = iterations == Long.MAX_VALUE && Double.isFinite(seconds);
      bar.stepTo(timed ? Math.min(bar.getMax(), (long) batch.seconds()) : done);
      bar.setExtraMessage(" " + state);
    } else if (batch.seconds() >= nextLine) {
      terminal.note("%s%s", state, left(done, batch.seconds()));
      nextLine = batch.seconds() + SECONDS_BETWEEN_LINES;
    }
  }

  private String left(long done, double elapsed) {
    double byIterations =
        iterations == Long.MAX_VALUE
            ? Double.POSITIVE_INFINITY
            : (iterations - done) * elapsed / done;
    double left = Math.min(byIterations, seconds - elapsed);
    return Double.isFinite(left)
        ? String.format(Locale.ROOT, ", %.0f s left", Math.max(0, left))
        : "";
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
