//! Documents, and GitHub's answers to them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Answer, Ask, Call, Schema};
use crate::replay::limits::Budget;
use crate::replay::repository::{Access, Release, Repository};
use crate::replay::world::World;

/// The part of GitHub's schema that the documents below need, with GitHub's types.
const SCHEMA: &str = "
    scalar DateTime
    scalar GitObjectID
    enum IssueState { OPEN CLOSED }
    interface GitObject { oid: GitObjectID! }
    type Blob implements GitObject { oid: GitObjectID! text: String byteSize: Int! isBinary: Boolean }
    type Commit implements GitObject { oid: GitObjectID! committedDate: DateTime! }
    type Issues { totalCount: Int! }
    type Release { name: String tagName: String! publishedAt: DateTime isPrerelease: Boolean! }
    type Repository {
        name: String!
        nameWithOwner: String!
        stargazerCount: Int!
        issues(states: [IssueState!]): Issues!
        latestRelease: Release
        object(expression: String, oid: GitObjectID): GitObject
        forkCount: Int!
    }
    type Query { repository(owner: String!, name: String!, followRenames: Boolean = true): Repository }
";

fn world() -> World {
    let pushed: Timestamp = "2020-05-23T05:37:32Z".parse().unwrap();
    let mut world = World::default();
    world.add(
        Repository::new("Owner/Plugin")
            .with_stars(71)
            .with_issues(15, 49)
            .with_push(pushed)
            .with_issue(7, pushed)
            .with_release(Release::new("0.8.6", "older", pushed))
            .with_release(Release { name: None, ..Release::new("0.8.7", "", pushed) })
            .with_release(Release { prerelease: true, ..Release::new("0.9rc1", "next", pushed) })
            .with_file("setup.py", "plugin_package = \"octoprint_x\"\n")
            .with_file("octoprint_x/__init__.py", "hello\n")
            .with_file("logo.png", b"\x89PNG\0\xff"),
    );
    world.add(Repository::new("owner/secret").with_access(Access::Private));
    world.add(Repository::new("owner/blocked").with_access(Access::Blocked));
    world.add(Repository::new("owner/was"));
    world.rename("owner/was", "other/IsNow");
    world
}

fn call(query: &str, variables: &Value, schema: Option<&Schema>) -> (Ask, Answer) {
    let body = json!({"query": query, "variables": variables}).to_string();
    let call = Call::read(body.as_bytes(), schema);
    let budget = Budget { limit: 5000, used: 1, resets_at: "2020-07-26T13:00:00Z".parse().unwrap() };
    (call.ask(), call.answer(&world(), budget))
}

fn ask(query: &str) -> Value {
    let (_, answer) = call(query, &Value::Null, None);
    assert_eq!((answer.status, answer.invalid), (200, false), "{}", answer.body);
    answer.body
}

#[test]
fn aliases_fragments_and_typenames() {
    let body = ask("
        query {
            a: repository(owner: \"owner\", name: \"PLUGIN\") { ...facts full: nameWithOwner }
            b: repository(owner: \"Owner\", name: \"Plugin\") {
                ... on Repository { stargazerCount }
                ... on User { nobody }
                ... { name }
                defaultBranchRef { target { __typename ... on Commit { committedDate pushedDate } ... on Blob { text } } }
            }
        }
        fragment facts on Repository {
            __typename
            open: issues(states: OPEN) { totalCount }
            closed: issues(states: [CLOSED]) { totalCount }
            issues { totalCount }
            latestRelease { name tagName }
            releases(first: 2) { totalCount nodes { tagName isPrerelease } pageInfo { hasNextPage endCursor } }
        }
    ");
    let expected = json!({"data": {
        "a": {
            "__typename": "Repository",
            "open": {"totalCount": 15}, "closed": {"totalCount": 49}, "issues": {"totalCount": 64},
            // The prerelease is newer, but isn't the latest release.
            "latestRelease": {"name": null, "tagName": "0.8.7"},
            "releases": {
                "totalCount": 3,
                "nodes": [{"tagName": "0.9rc1", "isPrerelease": true}, {"tagName": "0.8.7", "isPrerelease": false}],
                "pageInfo": {"hasNextPage": true, "endCursor": "2"},
            },
            "full": "Owner/Plugin",
        },
        "b": {
            "stargazerCount": 71, "name": "Plugin",
            "defaultBranchRef": {"target": {
                "__typename": "Commit", "committedDate": "2020-05-23T05:37:32Z", "pushedDate": null,
            }},
        },
    }});
    assert_eq!(body, expected);
}

#[test]
fn fields_of_one_key_are_merged_and_directives_hold() {
    let body = ask("
        query Q($yes: Boolean = true) {
            repository(owner: \"owner\", name: \"plugin\") { issues { totalCount } name @skip(if: $yes) }
            ...more
        }
        fragment more on Query {
            repository(owner: \"owner\", name: \"plugin\") {
                issues { __typename }
                stargazerCount @include(if: false)
                isFork @include(if: $yes)
            }
        }
    ");
    let repository = json!({"issues": {"totalCount": 64, "__typename": "IssueConnection"}, "isFork": false});
    assert_eq!(body, json!({"data": {"repository": repository}}));
}

#[test]
fn pages_go_on_where_the_last_one_ended() {
    let page = |arguments: &str| {
        let body = ask(&format!(
            "{{ repository(owner: \"owner\", name: \"plugin\") {{ releases({arguments}) {{
                edges {{ cursor node {{ tagName }} }} pageInfo {{ hasNextPage hasPreviousPage }} }} }} }}"
        ));
        body.pointer("/data/repository/releases").cloned().unwrap()
    };
    let second = page("first: 2, after: \"2\"");
    assert_eq!(second["edges"], json!([{"cursor": "3", "node": {"tagName": "0.8.6"}}]));
    assert_eq!(second["pageInfo"], json!({"hasNextPage": false, "hasPreviousPage": true}));
    assert_eq!(page("last: 1")["edges"], second["edges"]);
}

#[test]
fn files_by_expression_and_by_id() {
    let query = "
        query($id: GitObjectID!) {
            repository(owner: \"owner\", name: \"plugin\") {
                head: object(expression: \"HEAD:setup.py\") { oid ... on Blob { text byteSize } }
                branch: object(expression: \"master:octoprint_x/__init__.py\") { oid }
                folder: object(expression: \"HEAD:octoprint_x\") { __typename ... on Tree { entries { name type } } }
                image: object(expression: \"HEAD:logo.png\") { ... on Blob { text isBinary } }
                absent: object(expression: \"HEAD:nothing.py\") { oid }
                other: object(expression: \"devel:setup.py\") { oid }
                id: object(oid: $id) { ... on Blob { text } }
            }
        }";
    // What `git hash-object` prints for "hello\n".
    let hello = "ce013625030ba8dba906f756967f9e9ca394464a";
    let (ask, answer) = call(query, &json!({"id": hello}), None);
    let it = &answer.body["data"]["repository"];
    assert!(it.is_object(), "{}", answer.body);
    assert_eq!(it["head"]["text"], "plugin_package = \"octoprint_x\"\n");
    assert_eq!(it["head"]["byteSize"], 31);
    assert_eq!(it["branch"]["oid"], hello);
    let file = json!([{"name": "__init__.py", "type": "blob"}]);
    assert_eq!(it["folder"], json!({"__typename": "Tree", "entries": file}));
    assert_eq!(it["image"], json!({"text": null, "isBinary": true}));
    assert_eq!((&it["absent"], &it["other"]), (&Value::Null, &Value::Null));
    assert_eq!(it["id"], json!({"text": "hello\n"}));
    assert_eq!(answer.texts, 2, "two texts were served, and null isn't one");
    assert_eq!((ask.repositories, ask.by_expression, ask.by_oid, ask.texts), (1, 6, 1, 3));
}

#[test]
fn a_repository_that_is_gone_is_one_aliass_error() {
    let body = ask("query {
        gone: repository(owner: \"no\", name: \"body\") { name }
        secret: repository(owner: \"owner\", name: \"secret\") { name }
        blocked: repository(owner: \"owner\", name: \"blocked\") { name }
        moved: repository(owner: \"Owner\", name: \"WAS\") { nameWithOwner }
        stays: repository(owner: \"owner\", name: \"was\", followRenames: false) { nameWithOwner }
        odd: repository(owner: \"owner/plugin\", name: \"\") { name }
        fine: repository(owner: \"owner\", name: \"plugin\") { name }
    }");
    let data = json!({
        "gone": null, "secret": null, "blocked": null, "moved": {"nameWithOwner": "other/IsNow"},
        "stays": null, "odd": null, "fine": {"name": "Plugin"},
    });
    assert_eq!(body["data"], data);
    let first = json!({
        "type": "NOT_FOUND", "path": ["gone"], "locations": [{"line": 2, "column": 9}],
        "message": "Could not resolve to a Repository with the name 'no/body'.",
    });
    assert_eq!(body["errors"][0], first);
    let told: Vec<_> = body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["path"][0].as_str(), it["type"].as_str()))
        .collect();
    let missing = Some("NOT_FOUND");
    let expected = [
        (Some("gone"), missing),
        (Some("secret"), missing),
        (Some("blocked"), Some("FORBIDDEN")),
        (Some("stays"), missing),
        (Some("odd"), missing),
    ];
    assert_eq!(told, expected);
}

#[test]
fn variables_have_defaults_and_may_be_missing() {
    let query = "query($owner: String! = \"owner\", $name: String!, $states: [IssueState!]) {
        repository(owner: $owner, name: $name) { issues(states: $states) { totalCount } }
    }";
    let count = |variables| {
        let (_, answer) = call(query, &variables, None);
        answer.body.pointer("/data/repository/issues/totalCount").cloned()
    };
    assert_eq!(count(json!({"name": "plugin"})), Some(64.into()));
    assert_eq!(count(json!({"name": "plugin", "states": ["OPEN"]})), Some(15.into()));
    // A list with one item may be written as the item.
    assert_eq!(count(json!({"name": "plugin", "states": "CLOSED"})), Some(49.into()));
    for (variables, why) in [
        (json!({}), "Expected value to not be null"),
        (json!({"name": null}), "Expected value to not be null"),
        (json!({"name": 5}), "Could not coerce value 5 to String"),
        (json!({"name": "plugin", "states": [null]}), "Expected value to not be null"),
    ] {
        let (_, answer) = call(query, &variables, None);
        assert!(answer.invalid && answer.body.get("data").is_none(), "{variables}");
        assert_eq!(answer.body["errors"][0]["extensions"]["problems"][0]["explanation"], why, "{variables}");
    }
}

#[test]
fn without_a_schema_unknown_fields_and_wrong_selections_are_noticed() {
    for (query, message) in [
        (
            "{ repository(owner: \"a\", name: \"b\") { name } nothing }",
            "Field 'nothing' doesn't exist on type 'Query'",
        ),
        (
            "{ repository(owner: \"owner\", name: \"plugin\") { stars } }",
            "Field 'stars' doesn't exist on type 'Repository'",
        ),
        ("{ repository(owner: \"owner\", name: \"plugin\") }", "Field 'repository' must have selections"),
        (
            "{ repository(owner: \"owner\", name: \"plugin\") { object(expression: \"HEAD:x\") } }",
            "Field 'object' must have selections",
        ),
        (
            "{ repository(owner: \"owner\", name: \"plugin\") { name { x } } }",
            "Field 'name' can't have selections",
        ),
        (
            "{ repository(owner: \"owner\") { name } }",
            "Field 'repository' is missing required arguments: name",
        ),
        (
            "{ repository(owner: \"owner\", name: \"plugin\") { object(oid: \"abc\") { oid } } }",
            "Argument 'oid' on Field 'object' has an invalid value (\"abc\").",
        ),
        ("mutation { x }", "The replay server only executes queries"),
        ("query A { viewer { login } } query B { viewer { login } }", "An operation name is required"),
    ] {
        let (_, answer) = call(query, &Value::Null, None);
        assert!(answer.invalid, "{query}");
        assert_eq!(answer.status, 200, "GitHub reports a bad document with status 200");
        assert_eq!(answer.body["errors"][0]["message"], message, "{query}");
        assert!(answer.body.get("data").is_none(), "{query}");
    }
    let (_, answer) = call("{ repository(", &Value::Null, None);
    assert!(answer.invalid && answer.body["errors"][0]["message"].is_string(), "{}", answer.body);
}

#[test]
fn circles_of_fragments_end() {
    let (ask, answer) = call(
        "{ repository(owner: \"owner\", name: \"plugin\") { ...a } }
         fragment a on Repository { name ...b ...a }
         fragment b on Repository { ...a defaultBranchRef { target { ...c } } }
         fragment c on Commit { history(first: 1) { nodes { ...c } } }",
        &Value::Null,
        None,
    );
    assert!(answer.invalid, "{}", answer.body);
    assert_eq!(ask.repositories, 1);
}

#[test]
fn connections_want_bounds() {
    let body = ask("{ repository(owner: \"owner\", name: \"plugin\") {
        none: releases { nodes { tagName } } many: releases(first: 101) { nodes { tagName } }
        count: releases { totalCount }
    } }");
    let kinds: Vec<_> =
        body["errors"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["MISSING_PAGINATION_BOUNDARIES", "EXCESSIVE_PAGINATION"]);
    assert_eq!(body["data"]["repository"]["count"]["totalCount"], 3);
}

#[test]
fn an_issue_that_is_not_there_is_refused() {
    let query = "query($a: Int!, $b: Int!) { repository(owner: \"owner\", name: \"plugin\") {
        i0: issue(number: $a) { __typename number createdAt url } i1: issue(number: $b) { createdAt } } }";
    let (ask, answer) = call(query, &json!({"a": 7, "b": 8}), None);
    assert_eq!((ask.repositories, ask.issues), (1, 2));
    let found = json!({
        "__typename": "Issue", "number": 7, "createdAt": "2020-05-23T05:37:32Z",
        "url": "https://github.com/Owner/Plugin/issues/7",
    });
    assert_eq!(answer.body["data"]["repository"], json!({"i0": found, "i1": null}));
    let error = &answer.body["errors"][0];
    assert_eq!((&error["type"], &error["path"]), (&json!("NOT_FOUND"), &json!(["repository", "i1"])));
}

#[test]
fn the_schema_decides_where_there_is_one() {
    let schema = Schema::parse(SCHEMA).expect("a sound schema");
    let fine = "query($n: String!) { repository(owner: \"owner\", name: $n) { name issues(states: [OPEN]) { totalCount } } }";
    let (_, answer) = call(fine, &json!({"n": "plugin"}), Some(&schema));
    assert_eq!(answer.body["data"]["repository"]["issues"]["totalCount"], 15);
    for query in [
        "{ repository(owner: \"owner\", name: \"plugin\") { nothing } }",
        "{ repository(owner: \"owner\", name: \"plugin\", colour: 1) { name } }",
        "{ repository(owner: 1, name: \"plugin\") { name } }",
        "query($unused: Int) { repository(owner: \"owner\", name: \"plugin\") { name } }",
        "query($n: Int) { repository(owner: \"owner\", name: $n) { name } }",
        "{ repository(owner: \"owner\", name: \"plugin\") { object(expression: \"HEAD:x\") { text } } }",
        "{ repository(owner: \"owner\", name: \"plugin\") { issues(states: [open]) { totalCount } } }",
        "{ repository(owner: \"owner\", name: \"plugin\") { name } } fragment unused on Blob { text }",
        "{ r: repository(owner: \"a\", name: \"b\") { name } r: repository(owner: \"c\", name: \"d\") { name } }",
        // The schema has this field, but the replay server doesn't support it.
        "{ repository(owner: \"owner\", name: \"plugin\") { forkCount } }",
    ] {
        let (_, answer) = call(query, &Value::Null, Some(&schema));
        assert!(answer.invalid, "{query}: {}", answer.body);
        assert!(answer.body["errors"][0]["locations"][0]["line"].is_u64(), "{query}: {}", answer.body);
    }
}

#[test]
fn a_schema_may_define_a_field_twice_and_nothing_worse() {
    let twice = "type Query { a: Int b: Int a: Int }";
    let schema = Schema::parse(twice).expect("GitHub's own has such fields");
    assert!(
        !call("{ a }", &Value::Null, Some(&schema)).1.body["errors"].is_null(),
        "the world has no such field"
    );
    for worse in
        ["type Query { a: Nothing a: Int }", "type Query { a: Int } type Query { b: Int }", "type Query {"]
    {
        assert!(Schema::parse(worse).is_err(), "{worse}");
    }
}

#[test]
fn bodies_that_are_no_call_get_a_400() {
    for body in ["", "[]", "{}", "{\"query\": 5}", "{\"query\": \"{ viewer { login } }\", \"variables\": []}"]
    {
        let call = Call::read(body.as_bytes(), None);
        let budget = Budget { limit: 1, used: 0, resets_at: Timestamp::UNIX_EPOCH };
        assert_eq!(call.answer(&World::default(), budget).status, 400, "{body}");
    }
}

#[test]
fn the_rate_limit_tells_what_a_call_costs() {
    let many: String = (0..50)
        .map(|n| format!("r{n}: repository(owner: \"a\", name: \"{n}\") {{ ...f }} "))
        .chain(["rateLimit { cost limit remaining used resetAt }".to_owned()])
        .collect();
    let fragment = "fragment f on Repository { watchers { totalCount } a: issues { totalCount } b: issues { totalCount } }";
    let (ask, answer) = call(&format!("{{ {many} }} {fragment}"), &Value::Null, None);
    assert_eq!((ask.repositories, ask.connections, ask.cost()), (50, 150, 2));
    let expected =
        json!({"cost": 2, "limit": 5000, "remaining": 4999, "used": 1, "resetAt": "2020-07-26T13:00:00Z"});
    assert_eq!(answer.body["data"]["rateLimit"], expected);
}
