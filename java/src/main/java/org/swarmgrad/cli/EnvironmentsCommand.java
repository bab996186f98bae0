// swarmgrad envs: the library's catalogue of environments, as a list or one in full.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.swarmgrad.EnvironmentInfo;
import org.swarmgrad.EnvironmentParameter;
import org.swarmgrad.EnvironmentSpec;
import org.swarmgrad.Group;
import org.swarmgrad.InstructionSet;
import org.swarmgrad.Simulator;
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
    return "envs [--describe ID[?NAME=VALUE&...]] [--json]";
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
      EnvironmentSpec spec = EnvironmentSpec.parse(line.getOptionValue("describe"));
      try (Simulator simulator = Simulator.open(spec, 0, InstructionSet.AUTO)) {
        describe(spec, simulator, terminal);
        terminal.result(json(spec, simulator));
      }
      return 0;
    }
    ObjectNode result = Json.object();
    ArrayNode list = result.putArray("environments");
    for (EnvironmentInfo info : Swarmgrad.environments()) {
      terminal.say("%-26s %s", info.id(), info.summary());
      if (info.idPattern() != null) {
        terminal.say("%-26s ids: %s", "", info.idPattern());
      }
      list.add(json(info));
    }
    terminal.result(result);
    return 0;
  }

  private static void describe(EnvironmentSpec spec, Simulator simulator, Terminal terminal) {
    EnvironmentInfo info = spec.info();
    terminal.say("%s: %s%n", spec, info.summary());
    if (info.idPattern() != null) {
      terminal.say("Ids: %s%n", info.idPattern());
    }
    terminal.say("%s", info.description().stripTrailing());
    terminal.say("%nGroups (at most %d steps an episode):", simulator.horizon());
    for (Group group : simulator.groups()) {
      terminal.say(
          "  %-20s %d agents, %d features, %d actions%s",
          group.name(),
          group.agentCount(),
          group.observationSize(),
          group.actionCount(),
          group.masked() ? ", unavailable ones masked" : "");
    }
    terminal.say("%nState, and chance drawn before every step:");
    for (Simulator.Field field : simulator.fields()) {
      terminal.say(
          "  %-20s [%d][%d] %s%s",
          field.name(),
          field.rows(),
          field.columns(),
          field.integer() ? "integer" : "float",
          field.chance() ? ", chance" : "");
    }
    if (!info.parameters().isEmpty()) {
      terminal.say("%nParameters (--param NAME=VALUE):");
    }
    for (EnvironmentParameter parameter : info.parameters()) {
      terminal.say(
          "  %-20s %s (%s; %s)",
          parameter.name(),
          parameter.summary(),
          value(parameter, spec.parameter(parameter.name())),
          parameter.allowed());
    }
  }

  private static String value(EnvironmentParameter parameter, double value) {
    return (value == parameter.defaultValue() ? "default " : "set to ") + parameter.format(value);
  }

  private static ObjectNode json(EnvironmentSpec spec, Simulator simulator) {
    ObjectNode object = json(spec.info()).put("environment", spec.toString());
    object.put("horizon", simulator.horizon()).put("agents", simulator.agentCount());
    ObjectNode values = object.putObject("values");
    for (EnvironmentParameter parameter : spec.info().parameters()) {
      values.put(parameter.name(), spec.parameter(parameter.name()));
    }
    ArrayNode groups = object.putArray("groups");
    for (Group group : simulator.groups()) {
      ObjectNode entry = groups.addObject().put("name", group.name());
      entry.put("agents", group.agentCount()).put("observation_size", group.observationSize());
      entry.put("actions", group.actionCount()).put("masked", group.masked());
    }
    ArrayNode fields = object.putArray("fields");
    for (Simulator.Field field : simulator.fields()) {
      ObjectNode entry = fields.addObject().put("name", field.name());
      entry.put("rows", field.rows()).put("columns", field.columns());
      entry.put("integer", field.integer()).put("chance", field.chance());
    }
    return object;
  }

  private static ObjectNode json(EnvironmentInfo info) {
    ObjectNode object = Json.object().put("id", info.id()).put("id_pattern", info.idPattern());
    object.put("summary", info.summary()).put("description", info.description());
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
