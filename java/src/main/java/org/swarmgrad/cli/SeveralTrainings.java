// Trains one configuration with several seeds, one after the other, each in a run folder of its
// own, and sums up what they came to.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.CommandLine;
import org.swarmgrad.NumericException;

final class SeveralTrainings {
  private final CommandLine line;
  private final Training.Habits habits;
  private final Interrupt interrupt;
  private final Terminal terminal;
  private final List<JsonNode> results = new ArrayList<>();
  private final List<Long> failed = new ArrayList<>();
  private Path folder;

  SeveralTrainings(
      CommandLine line, Training.Habits habits, Interrupt interrupt, Terminal terminal) {
    this.line = line;
    this.habits = habits;
    this.interrupt = interrupt;
    this.terminal = terminal;
  }

  /** One training of them; not its failure. */
  private interface Work {
    Training.Result run() throws IOException;
  }

  /**
   * Begins in a new folder, which is made once everything is checked.
   *
   * @param out null for one under runs/
   */
  int begin(Settings settings, Path out) throws IOException {
    List<Long> seeds = settings.seeds().orElseThrow().values();
    long first = seeds.get(0);
    Training.Start start =
        () -> {
          settings.print(terminal);
          folder = RunFolder.make(out, settings, empty -> {});
          return RunFolder.ofSeed(folder, first);
        };
    boolean goesOn =
        train(
            first,
            () -> new Training(settings.withSeed(first), habits, terminal).begin(start, interrupt));
    return goesOn ? goOn(seeds.subList(1, seeds.size())) : interrupted();
  }

  /** Goes on with what is left. */
  int resume(Path existing, List<Long> seeds) throws IOException {
    folder = existing;
    return goOn(seeds);
  }

  private int goOn(List<Long> seeds) throws IOException {
    for (long seed : seeds) {
      if (interrupt.requested() || !train(seed)) {
        return interrupted();
      }
    }
    ObjectNode summary = results.isEmpty() ? Json.object() : Summary.of(results, terminal);
    summary.put("run", folder.toString());
    if (!failed.isEmpty()) {
      ArrayNode array = summary.putArray("failed");
      failed.forEach(seed -> array.add(Json.scalar(Long.toUnsignedString(seed))));
    }
    RunFolder.writeText(folder.resolve("summary.json"), summary.toPrettyString());
    terminal.say("see how they do: swarmgrad eval --run %s", folder);
    terminal.result(summary);
    return failed.isEmpty() ? 0 : Command.FAILURE;
  }

  /** Returns false where a signal ended it. */
  private boolean train(long seed) throws IOException {
    Path run = RunFolder.ofSeed(folder, seed);
    if (!Files.exists(run)) {
      Settings settings = Settings.stored(folder).withSeed(seed).resume(line, terminal);
      return train(
          seed, () -> new Training(settings, habits, terminal).begin(() -> run, interrupt));
    }
    if (Training.isDone(run, line, terminal)) {
      terminal.say("%s is done", run);
      results.add(RunFolder.readResult(run).orElseThrow());
      return true;
    }
    return train(seed, () -> Training.goOn(run, line, habits, interrupt, terminal));
  }

  /**
   * A training that ends in NaN would do so every time, and must not keep the others from theirs.
   */
  private boolean train(long seed, Work work) throws IOException {
    try {
      Training.Result result = work.run();
      results.add(result.json());
      return !result.interrupted();
    } catch (NumericException failure) {
      terminal.note("swarmgrad: %s", failure.getMessage());
      failed.add(seed);
      return true;
    }
  }

  private int interrupted() {
    terminal.say("go on with what is left: swarmgrad train --resume %s", folder);
    ObjectNode json = Json.object().put("interrupted", true).put("run", folder.toString());
    json.putArray("seeds").addAll(results);
    terminal.result(json);
    return Training.INTERRUPTED;
  }
}
