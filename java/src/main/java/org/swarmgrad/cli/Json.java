// Builds the JSON objects of results and run folders; the field names are part of the command
// line's contract.
package org.swarmgrad.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.function.BiConsumer;
import org.swarmgrad.Group;
import org.swarmgrad.Statistics;

final class Json {
  static final ObjectMapper MAPPER = new ObjectMapper();

  private Json() {}

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /** Fields of one group beside each other, of several groups in an object a group. */
  static void perGroup(
      ObjectNode object,
      List<Group> groups,
      List<Statistics> statistics,
      BiConsumer<ObjectNode, Statistics> fields) {
    for (int i = 0; i < groups.size(); i++) {
      ObjectNode target = groups.size() == 1 ? object : object.putObject(groups.get(i).name());
      fields.accept(target, statistics.get(i));
    }
  }
}
