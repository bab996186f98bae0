# Counts the statements of rules in environment headers; measures length, judges nothing.
# Usage: awk -f cmake/count-statements.awk native/environments/*.h
#
# A statement is what ends in a semicolon inside a function body, outside the head of a for, and every for, while, if,
# switch and do. Descriptions, parameters, constants and fields are no statements, nor is what names memory for the engine
# (state, chance, scratch).

FNR == 1 { report(); file = FILENAME; depth = 0; parentheses = 0; pending = "" }

{
  line = $0
  sub(/^[ \t]*#.*/, "", line)
  gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
  gsub(/'([^'\\]|\\.)'/, "''", line)
  sub(/\/\/.*/, "", line)
  for (i = 1; i <= length(line); ++i) read(substr(line, i, 1))
  read("\n")
}

END { report(); printf "%6d in all\n", all }

# scope[depth]: "type" (or a namespace), "rules", "memory" (a function that is left out), "values" (an initialiser).
function read(c) {
  if (c == "{") {
    outer = depth == 0 ? "type" : scope[depth]
    kept[++depth] = parentheses
    parentheses = 0
    if (outer == "type")
      scope[depth] = pending ~ /(^|[^A-Za-z_])(struct|class|enum|namespace|union)[^A-Za-z_]/ && pending !~ /\)/ ? "type" \
                     : pending ~ /[^A-Za-z_](state|chance|scratch)\(Visitor/ ? "memory" \
                     : pending ~ /=[^=]*$/ && pending !~ /operator/ ? "values" : "rules"
    else
      scope[depth] = outer
    heads()
  } else if (c == "}") {
    heads()
    parentheses = kept[depth--]
  } else if (c == ";" && parentheses == 0) {
    heads()
    if (depth > 0 && scope[depth] == "rules") ++count
  } else {
    parentheses += (c == "(") - (c == ")")
    pending = pending c
  }
}

# The control words since the last brace or semicolon.
function heads() {
  if (depth > 0 && scope[depth] == "rules") {
    gsub(/[^A-Za-z0-9_]+/, "  ", pending)
    count += gsub(/ (for|while|if|switch|do) /, " ", pending)
  }
  pending = " "
}

function report() {
  if (file != "") printf "%6d %s\n", count, file
  all += count
  count = 0
}
