// Builds the JSON objects of results and run folders; the field names are part of the command
// line's contract.
package org.swarmgrad.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.swarmgrad.Group;
import org.swarmgrad.Statistics;

final class Json {
  static final ObjectMapper MAPPER = new ObjectMapper();

  /** Reads files that people write: with comments, and nothing said twice. */
  static final ObjectMapper WITH_COMMENTS =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_JAVA_COMMENTS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private Json() {}

  /** Reads a file; whatever is wrong, the message names it. */
  static JsonNode read(ObjectMapper mapper, Path file) throws IOException {
    try {
      return mapper.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException failure) {
      throw new IOException(
          file
              + " is not JSON: "
              + failure.getOriginalMessage()
              + " at line "
              + failure.getLocation().getLineNr(),
          failure);
    } catch (FileSystemException failure) {
      // Says itself which file.
      throw failure;
    } catch (IOException failure) {
      throw new IOException(file + " cannot be read: " + failure.getMessage(), failure);
    }
  }

  static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /** A number or a truth value where the text is exactly what JSON writes for it, else the text. */
  static JsonNode scalar(String text) {
    try {
      JsonNode value = WITH_COMMENTS.readTree(text);
      if ((value.isNumber() || value.isBoolean()) && value.asText().equals(text)) {
        return value;
      }
    } catch (JsonProcessingException other) {
      // Text.
    }
    return MAPPER.getNodeFactory().textNode(text);
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

  /** What an evaluation says about a group. */
  static void returns(ObjectNode object, Statistics statistics) {
    object.put("team_return_mean", statistics.teamReturnMean());
    object.put("team_return_standard_error", statistics.teamReturnStandardError());
    object.put("team_return_ci95", statistics.teamReturnConfidence95());
    object.put("agent_return_mean", statistics.agentReturnMean());
    object.put("episode_length_mean", statistics.episodeLengthMean());
  }

  /** The objects that {@link #perGroup} filled with {@link #returns}, by group, "" for the only. */
  static Map<String, JsonNode> groups(JsonNode object) {
    if (object.has("team_return_mean")) {
      return Map.of("", object);
    }
    Map<String, JsonNode> groups = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> field : object.properties()) {
      if (field.getValue().has("team_return_mean")) {
        groups.put(field.getKey(), field.getValue());
      }
    }
    return groups;
  }
}
