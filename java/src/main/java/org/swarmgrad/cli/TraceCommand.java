// swarmgrad trace: replays recorded trajectories of reference implementations and reports
// differences.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.swarmgrad.cli.trace.Disagreement;
import org.swarmgrad.cli.trace.TraceReplay;

final class TraceCommand implements Command {
  @Override
  public String name() {
    return "trace";
  }

  @Override
  public String summary() {
    return "Replay recorded trajectories step by step and report differences.";
  }

  @Override
  public String usage() {
    return "trace FILE... [--json]";
  }

  @Override
  public String example() {
    return "trace java/src/test/resources/golden/gymnasium_CartPole-v1.json.gz";
  }

  @Override
  public Options options() {
    return Arguments.json(new Options());
  }

  @Override
  public boolean takesFiles() {
    return true;
  }

  @Override
  public int run(CommandLine line, Terminal terminal) throws IOException {
    if (line.getArgList().isEmpty()) {
      throw new UsageException(
          "FILE is missing; allowed: recorded trajectories, gzip or plain JSON");
    }
    ObjectNode result = Json.object();
    ArrayNode files = result.putArray("files");
    long mismatches = 0;
    for (String file : line.getArgList()) {
      TraceReplay.Result found = TraceReplay.replay(Path.of(file));
      mismatches += found.mismatches();
      say(found, terminal);
      files.add(json(found));
    }
    if (line.getArgList().size() > 1) {
      terminal.say("%d files, %d mismatches", files.size(), mismatches);
    }
    terminal.result(result);
    return mismatches == 0 ? 0 : FAILURE;
  }

  private static void say(TraceReplay.Result found, Terminal terminal) {
    terminal.say(
        "%s: %s, %d episodes, %d steps, %s",
        found.file(),
        found.environment(),
        found.episodes(),
        found.steps(),
        found.exact() ? "whole episodes" : "each step from the recorded state");
    if (found.excepted() > 0) {
      terminal.say("  %d episodes left out: they contain null (not a number)", found.excepted());
    }
    terminal.say(
        "  largest difference: state %.2g, observation %.2g, reward %.2g",
        found.stateDifference(), found.observationDifference(), found.rewardDifference());
    if (found.undecided() > 0) {
      terminal.say(
          "  %d rewards differ by collisions within rounding of the contact distance: not counted",
          found.undecided());
    }
    if (found.ties() > 0) {
      terminal.say(
          "  %d steps differ where the reference depends on the order of its own sets: not counted",
          found.ties());
    }
    terminal.say(
        "  %s",
        found.mismatches() == 0
            ? "agrees"
            : found.mismatches() + " mismatches, first: " + found.first());
  }

  private static ObjectNode json(TraceReplay.Result found) {
    ObjectNode object = Json.object();
    object.put("file", found.file()).put("environment", found.environment());
    object.put("whole_episodes", found.exact());
    object.put("episodes", found.episodes()).put("excepted_episodes", found.excepted());
    object.put("steps", found.steps()).put("mismatches", found.mismatches());
    object.put("undecided_rewards", found.undecided()).put("order_ties", found.ties());
    object.put("largest_state_difference", found.stateDifference());
    object.put("largest_observation_difference", found.observationDifference());
    object.put("largest_reward_difference", found.rewardDifference());
    if (found.first() == null) {
      return object.putNull("first_mismatch");
    }
    Disagreement first = found.first();
    ObjectNode mismatch = object.putObject("first_mismatch").put("text", first.toString());
    mismatch.put("episode", first.episode()).put("label", first.label());
    mismatch.put("step", first.step()).put("agent", first.agent());
    mismatch.put("field", first.field());
    mismatch.put("recorded", first.recorded()).put("found", first.found());
    return object;
  }
}
