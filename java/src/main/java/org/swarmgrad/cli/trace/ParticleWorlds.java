// Recordings of Farama MPE2's particle worlds.
package org.swarmgrad.cli.trace;

import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Pattern;

final class ParticleWorlds {
  /** Where nobody speaks, everybody's message is recorded as zeros. */
  private static final Column SILENT =
      (Column.Check)
          (moment, name, value) ->
              Column.always(new double[Recordings.count(value, moment.place() + " " + name)])
                  .compare(moment, name, value);

  static final World SPREAD =
      world(
          "simple_spread_v3",
          parameters -> parameters.number("N", "agents").number("local_ratio", "local_ratio"),
          new Contacts(
              "agent_pos",
              0.3,
              spec -> spec.parameter("local_ratio"),
              (spec, agent, first, second) -> agent == first || agent == second),
          Map.of("agent_comm", SILENT));

  static final World TAG =
      world(
          "simple_tag_v3",
          parameters ->
              parameters
                  .number("num_good", "num_good")
                  .number("num_adversaries", "num_adversaries")
                  .number("num_obstacles", "num_obstacles"),
          new Contacts(
              "agent_pos",
              0.125,
              spec -> 10,
              (spec, agent, first, second) -> {
                double adversaries = spec.parameter("num_adversaries");
                return first < adversaries
                    && second >= adversaries
                    && (agent < adversaries || agent == second);
              }),
          Map.of("agent_comm", SILENT));

  static final World SPEAKER_LISTENER =
      world("simple_speaker_listener_v4", parameters -> {}, null, Map.of());

  static final World REFERENCE =
      world(
          "simple_reference_v3",
          parameters -> parameters.number("local_ratio", "local_ratio"),
          null,
          // Each agent knows where the other one has to go.
          Map.of("goal_agent", Column.always(1, 0)));

  private ParticleWorlds() {}

  private static World world(
      String id, Consumer<Parameters> own, Contacts contacts, Map<String, Column> columns) {
    Consumer<Parameters> parameters =
        given -> {
          given
              .horizon("max_cycles")
              .only("continuous_actions", false)
              .only("terminate_on_success", false)
              .only("dynamic_rescaling", false);
          own.accept(given);
        };
    return new World(
        Pattern.compile(id),
        id,
        parameters,
        false,
        true,
        contacts,
        World.columns(World.TERMINATED_OR_TRUNCATED, columns));
  }
}
