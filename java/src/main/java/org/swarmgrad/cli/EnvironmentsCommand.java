// swarmgrad envs: the library's catalogue of environments, as a list or one in full.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.swarmgrad.EnvironmentInfo;
import org.swarmgrad.EnvironmentParameter;
import org.swarmgrad.Swarmgrad;

final class EnvironmentsCommand implements Command {
  @Override
  public String name() {
    return "envs";
  }

  @Override
  public String summary() {
    return "List the environments, or describe one.";
  }

  @Override
  public String usage() {
    return "envs [--describe ID] [--json]";
  }

  @Override
  public String example() {
    return "envs --describe simple_spread_v3";
  }

  @Override
  public Options options() {
    Options options = new Options();
    Arguments.value(options, "describe", "ID", "show everything about one environment");
    return Arguments.json(options);
  }

  @Override
  public int run(CommandLine line, Terminal terminal) {
    if (line.hasOption("describe")) {
      EnvironmentInfo info = Swarmgrad.environment(line.getOptionValue("describe"));
      describe(info, terminal);
      terminal.result(json(info));
      return 0;
    }
    ObjectNode result = Json.object();
    ArrayNode list = result.putArray("environments");
    for (EnvironmentInfo info : Swarmgrad.environments()) {
      terminal.say("%-20s %s", info.id(), info.summary());
      list.add(json(info));
    }
    terminal.result(result);
    return 0;
  }

  private static void describe(EnvironmentInfo info, Terminal terminal) {
    terminal.say("%s: %s%n", info.id(), info.summary());
    terminal.say("%s", info.description().stripTrailing());
    if (!info.parameters().isEmpty()) {
      terminal.say("%nParameters (--param NAME=VALUE):");
    }
    for (EnvironmentParameter parameter : info.parameters()) {
      terminal.say(
          "  %-20s %s (default %s; %s)",
          parameter.name(),
          parameter.summary(),
          parameter.format(parameter.defaultValue()),
          parameter.allowed());
    }
  }

  private static ObjectNode json(EnvironmentInfo info) {
    ObjectNode object = Json.object().put("id", info.id()).put("summary", info.summary());
    object.put("description", info.description());
    ArrayNode parameters = object.putArray("parameters");
    for (EnvironmentParameter parameter : info.parameters()) {
      ObjectNode entry =
          parameters.addObject().put("name", parameter.name()).put("summary", parameter.summary());
      entry.put("integer", parameter.integer()).put("default", parameter.defaultValue());
      entry.put("minimum", parameter.minimum()).put("maximum", parameter.maximum());
      ArrayNode choices = entry.putArray("choices");
      parameter.choices().forEach(choices::add);
    }
    return object;
  }
}
