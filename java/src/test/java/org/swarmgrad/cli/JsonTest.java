// The JSON of one group is flat, that of several groups an object a group.
package org.swarmgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.swarmgrad.Group;
import org.swarmgrad.Statistics;

class JsonTest {
  private static Group group(String name) {
    return new Group(name, 0, 1, 1, 2, false, 0, 0, 4, null);
  }

  private static Statistics statistics(int group, double mean) {
    return new Statistics(group, 0, 1, 1, mean, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  }

  private static String json(List<Group> groups, List<Statistics> statistics) {
    ObjectNode object = Json.object();
    Json.perGroup(
        object, groups, statistics, (target, group) -> target.put("mean", group.teamReturnMean()));
    return object.toString();
  }

  @Test
  void oneGroupIsFlatAndSeveralAreNamed() {
    assertThat(json(List.of(group("agent")), List.of(statistics(0, 1.5))))
        .isEqualTo("{\"mean\":1.5}");
    assertThat(
            json(
                List.of(group("good"), group("adversary")),
                List.of(statistics(0, 1), statistics(1, 2))))
        .isEqualTo("{\"good\":{\"mean\":1.0},\"adversary\":{\"mean\":2.0}}");
  }
}
