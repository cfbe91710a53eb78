package dev.tern.grammar;

import java.util.List;

/** Schemas, in the manner of those of the JSON Schema Test Suite. */
final class SchemaCases {
    private SchemaCases() {}

    /** A schema with texts that its grammar lets through, and some that it does not. */
    record Example(String schema, List<String> valid, List<String> invalid) {}

    static final List<String> SCHEMAS = List.of(
            "true",
            "{}",
            "{\"description\":\"anything\"}",
            "{\"type\":\"object\"}",
            "{\"type\":\"array\"}",
            "{\"type\":[\"string\",\"null\"]}",
            "{\"type\":\"string\",\"nullable\":true,\"enum\":[\"a\",\"b\\\"\\n\\u00e9\"]}",
            // as OpenAI's strict mode wants it
            """
            {"type":"object","properties":{"name":{"type":"string","description":"a name"},
             "age":{"type":["integer","null"],"minimum":0,"maximum":150},
             "tags":{"type":"array","items":{"type":"string","enum":["red","green","blue"]},"minItems":1,"maxItems":4},
             "address":{"anyOf":[{"$ref":"#/$defs/address"},{"type":"null"}]},
             "score":{"type":"number","minimum":-1.5,"exclusiveMaximum":2.25},
             "id":{"type":"string","pattern":"^[A-Z]{3}-[0-9]{2,4}$"}},
             "required":["name","age","tags","address","score","id"],"additionalProperties":false,
             "$defs":{"address":{"type":"object","properties":{"street":{"type":"string"},"when":{"type":"string",
             "format":"date-time"}},"required":["street","when"],"additionalProperties":false}}}
            """,
            // a tree and a list
            """
            {"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"value":{"type":"integer"},
             "children":{"type":"array","items":{"$ref":"#/$defs/node"}},"next":{"anyOf":[{"$ref":"#/$defs/node"},
             {"type":"null"}]}},"required":["value","children","next"],"additionalProperties":false}}}
            """,
            "{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{\"type\":\"boolean\"},\"c\":{\"type\":\"null\"}},"
                    + "\"required\":[\"b\"]}",
            "{\"properties\":{\"a\":{\"type\":\"integer\"},\"ab\":{\"type\":\"boolean\"},"
                    + "\"q\\\"\\\\\":{\"type\":\"null\"}},"
                    + "\"additionalProperties\":{\"type\":\"string\"}}",
            "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"},\"minProperties\":1,"
                    + "\"maxProperties\":3}",
            "{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{},\"c\":{}},\"required\":[\"b\"],"
                    + "\"maxProperties\":2}",
            "{\"type\":\"object\",\"required\":[\"x\"],\"additionalProperties\":{\"type\":\"null\"},"
                    + "\"maxProperties\":2}",
            "{\"type\":\"object\",\"patternProperties\":{\"^n_\":{\"type\":\"number\"},\"s$\":{\"type\":\"integer\"}},"
                    + "\"properties\":{\"n_s\":{\"minimum\":5}},\"additionalProperties\":{\"type\":\"boolean\"}}",
            "{\"type\":\"object\",\"patternProperties\":{\"^[a-z]{1,3}$\":{\"type\":\"null\"}},"
                    + "\"additionalProperties\":false}",
            "{\"allOf\":[{\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]},"
                    + "{\"properties\":{\"b\":{\"type\":\"string\"},\"a\":{\"maximum\":5}},\"required\":[\"b\"]}]}",
            "{\"allOf\":[{\"type\":\"string\",\"minLength\":2},{\"maxLength\":5},{\"pattern\":\"^[a-f]+$\"}]}",
            "{\"allOf\":[{\"pattern\":\"a.*b\"},{\"pattern\":\"c\"}],\"type\":\"string\",\"maxLength\":12}",
            "{\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"integer\"}},"
                    + "\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}],\"additionalProperties\":false}",
            "{\"anyOf\":[{\"type\":\"string\",\"maxLength\":3},{\"type\":\"integer\",\"minimum\":10},"
                    + "{\"const\":{\"a\":[1,null]}}]}",
            "{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"kind\":{\"const\":\"cat\"},"
                    + "\"lives\":{\"type\":\"integer\"}},"
                    + "\"required\":[\"kind\",\"lives\"]},{\"type\":\"object\","
                    + "\"properties\":{\"kind\":{\"const\":\"dog\"},"
                    + "\"name\":{\"type\":\"string\"}},\"required\":[\"kind\",\"name\"]},{\"type\":\"null\"}]}",
            "{\"oneOf\":[{\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]},"
                    + "{\"properties\":{\"b\":{\"type\":\"string\"}},\"required\":[\"b\"]}]}",
            "{\"oneOf\":[{\"type\":\"integer\",\"maximum\":3},{\"type\":\"integer\",\"exclusiveMinimum\":3}]}",
            "{\"oneOf\":[{\"type\":\"string\",\"pattern\":\"^a+$\"},{\"type\":\"string\",\"pattern\":\"^b*$\"}]}",
            "{\"oneOf\":[{\"type\":\"array\",\"maxItems\":1},{\"type\":\"array\",\"minItems\":2,\"maxItems\":3}],"
                    + "\"items\":{\"type\":\"boolean\"}}",
            "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"string\","
                    + "\"maxLength\":2}],\"items\":false}",
            "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"}],"
                    + "\"items\":{\"type\":\"null\"},\"minItems\":3,\"maxItems\":5}",
            "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"integer\"},{}],\"maxItems\":1}",
            "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"type\":\"array\","
                    + "\"items\":[{\"type\":\"boolean\"},"
                    + "{\"type\":\"null\"}],\"additionalItems\":{\"type\":\"integer\"},\"minItems\":2}",
            "{\"$schema\":\"http://json-schema.org/draft-04/schema#\",\"type\":\"integer\",\"minimum\":0,"
                    + "\"exclusiveMinimum\":true,\"maximum\":3}",
            "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"definitions\":{\"a b\":{\"type\":\"integer\"}},"
                    + "\"items\":{\"$ref\":\"#/definitions/a%20b\"},\"minItems\":1}",
            "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"},"
                    + "\"maxItems\":2},\"maxItems\":3}",
            "{\"type\":\"array\",\"uniqueItems\":true,\"maxItems\":1}",
            "{\"type\":\"string\",\"minLength\":3,\"maxLength\":6}",
            "{\"type\":\"string\",\"maxLength\":200000}",
            "{\"type\":\"string\",\"pattern\":\"^(\\\\d{3}|x\\\\.y)?[^a-z\\\\s]{2}\\\\u00e9\\\\n?$\"}",
            "{\"type\":\"string\",\"pattern\":\"[a-z]b?|^1$|[\\\"\\\\\\\\]d\"}",
            "{\"type\":\"string\",\"pattern\":\"^\\\\p{Lu}\\\\p{L}{1,4}$\"}",
            "{\"type\":\"string\",\"pattern\":\"^[\\\\w-]+(?:\\\\.\\\\w{1,3}){1,2}$\",\"minLength\":5,"
                    + "\"maxLength\":20}",
            "{\"type\":\"string\",\"format\":\"date\"}",
            "{\"type\":\"string\",\"format\":\"time\"}",
            "{\"type\":\"string\",\"format\":\"date-time\"}",
            "{\"type\":\"string\",\"format\":\"duration\"}",
            "{\"type\":\"string\",\"format\":\"uuid\"}",
            "{\"type\":\"string\",\"format\":\"email\"}",
            "{\"type\":\"string\",\"format\":\"hostname\"}",
            "{\"type\":\"string\",\"format\":\"ipv4\"}",
            "{\"type\":\"string\",\"format\":\"ipv6\"}",
            "{\"type\":\"string\",\"format\":\"uri\"}",
            "{\"type\":\"string\",\"format\":\"email\",\"maxLength\":20}",
            "{\"type\":\"string\",\"format\":\"int32-or-so\"}",
            "{\"type\":\"integer\"}",
            "{\"type\":\"number\"}",
            "{\"type\":\"integer\",\"minimum\":-17,\"maximum\":203}",
            "{\"type\":\"integer\",\"exclusiveMinimum\":-5.5,\"exclusiveMaximum\":-1}",
            "{\"type\":\"integer\",\"minimum\":99999999999999999999}",
            "{\"type\":\"integer\",\"maximum\":-1e20}",
            "{\"type\":\"integer\",\"multipleOf\":7}",
            "{\"type\":\"integer\",\"multipleOf\":2.5,\"minimum\":1,\"maximum\":100}",
            "{\"type\":\"integer\",\"multipleOf\":12,\"allOf\":[{\"multipleOf\":18}],"
                    + "\"minimum\":-100000,\"maximum\":5000000}",
            "{\"type\":\"number\",\"multipleOf\":0.01,\"minimum\":0,\"exclusiveMaximum\":100}",
            "{\"type\":\"number\",\"multipleOf\":0.25}",
            "{\"type\":\"number\",\"minimum\":0,\"maximum\":1}",
            "{\"type\":\"number\",\"exclusiveMinimum\":0,\"exclusiveMaximum\":1}",
            "{\"type\":\"number\",\"exclusiveMinimum\":-0.125,\"maximum\":0.0625}",
            "{\"type\":\"number\",\"exclusiveMinimum\":3.14,\"exclusiveMaximum\":3.15}",
            "{\"type\":\"number\",\"minimum\":12.5}",
            "{\"type\":\"number\",\"maximum\":-1e-7}",
            "{\"type\":\"number\",\"minimum\":99.99,\"maximum\":101.01}",
            "{\"const\":null}",
            "{\"const\":1.50}",
            "{\"enum\":[1,\"1\",true,null,{\"a\":[]},1e3,\"\\u0000\\t/\"]}",
            "{\"type\":[\"integer\",\"string\"],\"enum\":[1,2.5,\"x\",null],\"maximum\":1}",
            "{\"type\":\"object\",\"properties\":{\"t\":{\"$ref\":\"#/properties/u\"},\"u\":{\"type\":\"boolean\"}},"
                    + "\"required\":[\"t\",\"u\"]}",
            "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"additionalProperties\":false}",
            "{\"x-vendor\":{\"not\":1},\"type\":\"object\","
                    + "\"properties\":{\"not\":{\"type\":\"null\"}},\"required\":[\"not\"]}");

    static final List<Example> EXAMPLES = List.of(
            new Example(
                    "{\"properties\":{\"b\":{\"type\":\"integer\"},\"a\":{\"type\":\"integer\"},"
                    + "\"c\":{\"type\":\"null\"}},"
                            + "\"required\":[\"a\"]}",
                    List.of("{\"a\":1}", "{\"b\":2,\"a\":1}", "{\"b\": 2, \"a\": 1, \"c\": null}", "{\n  \"a\": 1\n}"),
                    List.of("{}", "{\"a\":1,\"b\":2}", "{\"b\":2}", "{\"a\":1,\"d\":2}", "{\"a\":1.5}",
                            "{\"a\":1}\n", "[]",
                            "{\"a\" :1}", "{\n\n\"a\":1}", "{\"a\":1,}")),
            new Example(
                    "{\"properties\":{\"ab\":{\"type\":\"null\"}},\"additionalProperties\":true}",
                    List.of("{}", "{\"ab\":null}", "{\"ab\":null,\"a\":1,\"abc\":[{}]}", "{\"x\\ny\":2}", "{\"\":0}"),
                    List.of("{\"ab\":1}", "{\"a\\u0062\":1}", "{\"x\":1,\"ab\":null}")),
            new Example(
                    "{\"type\":\"integer\",\"minimum\":-120,\"maximum\":1050}",
                    List.of("-120", "-99", "-1", "0", "7", "99", "100", "999", "1000", "1050"),
                    List.of("-121", "1051", "2000", "-0", "01", "1.0", "", "-", "-200", "10000")),
            new Example(
                    "{\"type\":\"number\",\"exclusiveMinimum\":0.5,\"maximum\":2.25}",
                    List.of("0.51", "0.500001", "0.9", "1", "1.0", "1.75", "2", "2.2", "2.25", "2.250", "2.0999"),
                    List.of("0.5", "0.50", "0.4", "0", "2.26", "2.2501", "3", "-1", "0.", "1e0", "2.3")),
            new Example(
                    "{\"type\":\"number\",\"minimum\":-1,\"exclusiveMaximum\":0}",
                    List.of("-1", "-1.0", "-0.5", "-0.001"),
                    List.of("0", "-0", "-0.0", "-1.01", "1", "0.1")),
            new Example(
                    "{\"type\":\"number\",\"multipleOf\":0.05,\"minimum\":0}",
                    List.of("0", "0.05", "0.1", "0.10", "12345.95", "3", "7.5"),
                    List.of("0.01", "0.051", "0.050", "-0.05", ".05", "1.23")),
            new Example(
                    "{\"type\":\"integer\",\"multipleOf\":7,\"minimum\":-50000}",
                    List.of("0", "7", "-7", "49", "-49994", "700000000000007"),
                    List.of("1", "-8", "-50001", "-50008", "07")),
            new Example(
                    "{\"type\":\"string\",\"minLength\":1,\"maxLength\":2}",
                    List.of("\"a\"", "\"\uD83D\uDE00\u00e9\"", "\"\\n\\u00e9\"", "\"\\ud83d\\ude00b\""),
                    List.of("\"\"", "\"abc\"", "\"\\ud83d\"", "\"a", "a")),
            new Example(
                    "{\"pattern\":\"^a.c$|x+\"}",
                    List.of("\"abc\"", "\"a\\\"c\"", "\"yyxyy\"", "\"\\nx\"", "\"a\\u0001c\""),
                    List.of("\"ac\"", "\"a\\nc\"", "\"abcd\"", "\"\"")),
            new Example(
                    "{\"format\":\"date\"}",
                    List.of("\"2024-02-29\"", "\"2000-02-29\"", "\"1999-12-31\"", "\"2023-04-30\""),
                    List.of("\"2023-02-29\"", "\"1900-02-29\"", "\"2023-04-31\"", "\"2023-13-01\"", "\"2023-1-1\"")),
            new Example(
                    "{\"format\":\"ipv6\"}",
                    List.of("\"::1\"", "\"1:2:3:4:5:6:7:8\"", "\"fe80::a:b\"", "\"::1:2:3:4:5:6:7\""),
                    List.of("\":::\"", "\"1::2::3\"", "\"12345::\"", "\"1:2\"")),
            new Example(
                    "{\"type\":\"array\",\"prefixItems\":[{\"const\":1},{\"const\":2}]}",
                    List.of("[1,2]", "[ 1, 2 ]"),
                    List.of("[]", "[1]", "[1,2,3]", "[2,1]")),
            new Example(
                    "{\"items\":{\"type\":\"boolean\"},\"minItems\":1,\"maxItems\":3}",
                    List.of("[true]", "[true,false, true]"),
                    List.of("[]", "[true,true,true,true]", "[1]", "[true,]")),
            new Example(
                    "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"integer\"}],\"maximum\":3}",
                    List.of("3", "-7"),
                    List.of("4", "\"a\"")));
}
