// Recordings of JaxMARL's SMAX against its heuristic enemy.
package org.swarmgrad.cli.trace;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.Map;
import java.util.regex.Pattern;
import org.swarmgrad.Simulator;

final class SmaxWorld {
  static final World SMAX =
      new World(
          Pattern.compile("(HeuristicEnemySMAX|smax_.*)"),
          "smax_3m",
          parameters ->
              parameters
                  .choice("scenario", "scenario", Map.of())
                  .choice("attack_mode", "attack_mode", Map.of())
                  .number("enemy_shoots", "enemy_shoots")
                  .number("use_self_play_reward", "use_self_play_reward")
                  .number("walls_cause_death", "walls_cause_death")
                  .number("see_enemy_actions", "see_enemy_actions"),
          false,
          false,
          null,
          World.columns(
              World.DONE,
              Map.of(
                  "alive", (Column.Check) SmaxWorld::alive,
                  "agent_done", (Column.Check) SmaxWorld::agentDone,
                  "avail", (Column.Check) SmaxWorld::available,
                  "enemy_action",
                      new Column.Chance("enemy_action", Column::plain, SmaxWorld::canBeChosen),
                  "cooldown_noise",
                      new Column.Chance("cooldown_noise", Column::plain, Column.ignored()))));

  private SmaxWorld() {}

  /** Of every unit, enemies too. */
  private static void alive(Moment moment, String name, JsonNode value) throws IOException {
    double[] health = moment.state("health");
    double[] recorded = Recordings.numbers(value, health.length, moment.place() + " " + name);
    for (int unit = 0; unit < health.length; unit++) {
      moment.equal(-1, name + "[" + unit + "]", recorded[unit], health[unit] > 0 ? 1 : 0);
    }
  }

  /** Dead; an ended episode does not matter. */
  private static void agentDone(Moment moment, String name, JsonNode value) throws IOException {
    double[] health = moment.state("health");
    double[] recorded = Recordings.numbers(value, moment.agentCount(), moment.place() + " " + name);
    for (int agent = 0; agent < recorded.length; agent++) {
      moment.equal(agent, name, recorded[agent], health[agent] <= 0 ? 1 : 0);
    }
  }

  private static void available(Moment moment, String name, JsonNode value) throws IOException {
    int agent = 0;
    for (JsonNode actions : moment.perAgent(name, value)) {
      moment.mask(
          agent,
          moment.simulator().observe(agent).mask(),
          Recordings.numbers(
              actions,
              moment.simulator().groups().getFirst().actionCount(),
              moment.place() + " " + name));
      agent++;
    }
  }

  /** Every enemy's recorded action is one that the heuristic can choose in this state. */
  private static void canBeChosen(Moment moment, String name, JsonNode value) throws IOException {
    Simulator.Field field = moment.simulator().field("enemy_choices");
    double[] choices = moment.state(field.name());
    int[] recorded = Recordings.integers(value, field.rows(), moment.place() + " " + name);
    for (int enemy = 0; enemy < field.rows(); enemy++) {
      int action = Recordings.index(recorded[enemy], field.columns(), moment.place() + " " + name);
      moment.equal(
          -1,
          name + "[" + enemy + "] can be " + action,
          1,
          choices[enemy * field.columns() + action] > 0 ? 1 : 0);
    }
  }
}
