// swarmgrad verify: the theorem as a table a person can read; the comparisons are
// org.swarmgrad.reference's.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.swarmgrad.Device;
import org.swarmgrad.reference.Theorem;

final class VerifyCommand implements Command {
  @Override
  public String name() {
    return "verify";
  }

  @Override
  public String summary() {
    return "Show that the engine's estimators have the gradient of the team's return as their"
        + " mean.";
  }

  @Override
  public String usage() {
    return "verify [--device DEVICE] [--json]";
  }

  @Override
  public String example() {
    return "verify";
  }

  @Override
  public Options options() {
    return Arguments.json(EngineOptions.addDevice(new Options()));
  }

  @Override
  public int run(CommandLine line, Terminal terminal) throws IOException {
    Theorem theorem = new Theorem(EngineOptions.device(line, Device.CPU, terminal));
    terminal.say(
        "The theorem: grad J = E[ sum over steps t and agents i of grad log pi(a_t^i | s_t^i) x R"
            + " ], R the team's return.%n");
    terminal.say(
        "1. meeting: 2 agents, 2 steps, 3 cells. All 243 joint trajectories go through the engine's"
            + " weights and");
    terminal.say(
        "   gradient, each weighted by its probability, at a uniform and two random policies.%n");
    List<Theorem.Row> rows = new ArrayList<>(theorem.meeting());
    table(rows, terminal);
    terminal.say(
        "%n2. What the options do to it: the same 243 trajectories; means, deviation and values of"
            + " states are out of the air;");
    terminal.say("   0.9 is the discount of estimator and J.%n");
    List<Theorem.Row> options = theorem.options();
    table(options, terminal);
    rows.addAll(options);
    terminal.say(
        "%n3. simple_spread_v3: 33 sampled episodes of 3 agents and 25 steps against plain loops in"
            + " double precision.%n");
    List<Theorem.Row> sampled = theorem.sampled();
    table(sampled, terminal);
    rows.addAll(sampled);

    long disagreeing = rows.stream().filter(row -> !row.agrees()).count();
    terminal.say(
        "%nDifference: the largest over parameters and policies, absolute in 1. and 2., the"
            + " norm's for gradients in 3.");
    terminal.say(
        "Allowed: 1e-12 between two programs in double; for the engine (2e-6 + 2e-7 x largest"
            + " logit), in 1. and 2. times the");
    terminal.say("largest return; a weight is rounded to float once (2^-23 of it).");
    terminal.say(
        "%n%d of %d rows agree%s",
        rows.size() - disagreeing, rows.size(), disagreeing == 0 ? "" : ": SOMETHING IS WRONG");
    terminal.result(json(rows, disagreeing));
    return disagreeing == 0 ? 0 : FAILURE;
  }

  private static void table(List<Theorem.Row> rows, Terminal terminal) {
    String format = "%-30s %-54s %-19s %10s %10s  %-9s %s";
    terminal.say(format, "game", "quantity", "against", "difference", "allowed", "", "");
    for (Theorem.Row row : rows) {
      String difference = String.format(Locale.ROOT, "%.1e", row.difference());
      String allowed = String.format(Locale.ROOT, "%.1e", row.allowed());
      String verdict = row.agrees() ? "agrees" : "DISAGREES";
      terminal.say(
          format,
          row.subject(),
          row.quantity(),
          row.against(),
          difference,
          allowed,
          verdict,
          row.remark());
    }
  }

  private static ObjectNode json(List<Theorem.Row> rows, long disagreeing) {
    ObjectNode object = Json.object();
    ArrayNode array = object.putArray("rows");
    for (Theorem.Row row : rows) {
      ObjectNode entry =
          array.addObject().put("game", row.subject()).put("quantity", row.quantity());
      entry
          .put("against", row.against())
          .put("difference", row.difference())
          .put("allowed", row.allowed());
      entry.put("agrees", row.agrees()).put("remark", row.remark());
    }
    return object.put("agreeing", rows.size() - disagreeing).put("disagreeing", disagreeing);
  }
}
