//! Texts of `Chart.yaml`, each with something that is read in its own way.

/// What comes before each text that does not bring its own.
pub const BASE: &str = "apiVersion: v2\nname: web\nversion: 1.2.3\n";

/// Label and text; a text that begins with `apiVersion` or `=` is whole (the `=` goes).
pub const TEXTS: &[(&str, &str)] = &[
    ("the least", ""),
    ("no apiVersion", "=name: web\nversion: 1.2.3\n"),
    ("apiVersion v1", "apiVersion: v1\nname: web\nversion: 1.2.3\nengine: gotpl\ntillerVersion: '>2.0.0'\n"),
    ("everything", EVERYTHING),
    ("unquoted numbers", "appVersion: 1.10\nkubeVersion: 1\nicon: 0x1F\nhome: 010\ntags: 1e6\n"),
    ("quoted numbers", "appVersion: \"1.10\"\nkubeVersion: '1'\nannotations: {a: '010', b: \"1_000\"}\n"),
    (
        "number forms",
        "annotations: {a: 1.0, b: 08, c: 0b11, d: 0o17, e: 1_000, f: -0, g: .5, h: 1e-7, i: 1.123456789, j: 1e400, k: +3, l: 1e40}\n",
    ),
    ("large numbers", "annotations: {a: 18446744073709551615, b: 18446744073709551616, c: -9223372036854775809, d: 1234567.0}\n"),
    ("infinities as text", "annotations: {a: .inf, b: -.INF, c: .nan}\n"),
    ("yes and no", "deprecated: yes\nannotations: {a: yes, b: No, c: on, d: OFF, e: y, f: N, g: yEs, h: 'yes'}\nkeywords: [true, False]\n"),
    ("unquoted version", "apiVersion: v2\nname: web\nversion: 1.10\n"),
    ("version with one number", "apiVersion: v2\nname: web\nversion: 7\n"),
    ("version with v", "apiVersion: v2\nname: web\nversion: v1.2\n"),
    ("version with a plus", "apiVersion: v2\nname: web\nversion: 1.2.3-rc.1+build.5\n"),
    ("dates", "appVersion: 2024-01-02\nannotations: {a: 2024-01-02T03:04:05Z, b: 12:30:45}\n"),
    ("nulls", "description: ~\nkeywords: null\nannotations:\nmaintainers: ~\ndependencies: []\ndeprecated: null\n"),
    ("null members", "annotations: {a: ~, b: ''}\nkeywords: [a, ~, '']\nsources: [~]\n"),
    (
        "HTML",
        "description: \"<b>bold</b> & 'quoted' \\\"double\\\" \\\\ /\"\nhome: https://x.example/?a=1&b=<2>\nannotations: {'<k>': '&'}\n",
    ),
    ("unicode", "description: Ünïcödé 日本語 😀 e\u{301} ½\nkeywords: [кириллица, العربية]\nannotations: {é: ü}\n"),
    ("separators and escapes", "annotations: {a: \"x\\u2028y\\u2029z\", b: \"\\x01\\x1f\\x7f\\b\\f\\n\\r\\t\", c: \"\\xe9\\U0001F600\"}\n"),
    (
        "unprintable characters",
        "description: \"a\\tb\\u200bc\\u00a0d\\x07e\\ufefff\\ue000g\\nh\"\nhome: \"h\\u00adi\"\nmaintainers: [{name: \"A\\nB\"}]\n",
    ),
    ("binary", "description: !!binary Yf//\nannotations: {a: !!binary w6k=}\n"),
    ("tags", "appVersion: !!str 1.10\nkubeVersion: !!float 3\ndescription: !own text\nannotations: {a: !!int '3', b: !!bool on}\n"),
    ("literal text", "description: |\n  one\n    two\n\n  three\nannotations:\n  a: |-\n    x\n  b: |+\n    y\n\n  c: |2\n      z\n"),
    ("folded text", "description: >\n  one\n  two\n\n  three\n    four\n  five\nannotations:\n  a: >-\n    x\n    y\n"),
    ("lines that go on", "description: one\n  two\n\n  three\nhome: 'a\n  b'\nicon: \"c\\\n  d\"\n"),
    ("literal text to the end", "annotations:\n  a: |\n    without a line break"),
    ("comments", "# before\ndescription: a #b # c\n  # inside\nkeywords: # here\n- a # there\n"),
    (
        "anchors and merges",
        "x-person: &p {name: Ada, email: a@b.c}\nmaintainers:\n- <<: *p\n- <<: *p\n  name: Grace\n- name: lost\n  <<: *p\nkeywords: &k [a, b]\nsources: *k\n",
    ),
    ("keys twice", "description: one\ndescription: two\nannotations: {a: 1, a: 2}\n"),
    (
        "keys in other letters",
        "Description: A\ndescription: b\nKEYWORDS: [a, b, c]\nkeywords: [d]\nAnnotations: {a: b}\nannotations: {c: d}\n\u{212A}ubeVersion: '1'\n",
    ),
    ("keys that are no text", "1: a\nyes: b\n1.5: c\nannotations: {1: a, no: b, 1.50: c, 0x10: d}\n"),
    ("unknown fields", "foo: {bar: [1, 2, {baz: ~}]}\nannotation: {a: b}\nmaintainers: [{name: a, phone: 1}]\n"),
    (
        "maintainers",
        "maintainers:\n- {name: Ada, email: ada@x.example, url: https://x.example}\n- {name: Grace}\n- {email: only@x.example}\n- {}\n",
    ),
    ("annotations that Helm derives", RESERVED),
    ("annotation with the time", "annotations: {org.opencontainers.image.created: yesterday}\n"),
    ("blank description", "description: ' '\nhome: \"\\t\"\nsources: ['', b]\nmaintainers: [{url: x}]\n"),
    ("sorted annotations", "annotations: {z: 1, a: 2, Z: 3, a.b/c: 4, a-b: 5, '': 6, é: 7, aa: 8}\n"),
    ("dependencies", DEPENDENCIES),
    ("library", "type: library\n"),
    ("deprecated", "deprecated: true\ncondition: a.b\ntags: c\n"),
    ("JSON", "={\"apiVersion\":\"v2\",\"name\":\"web\",\"version\":\"1.2.3\",\"description\":\"a/b\\u00e9\",\"keywords\":[\"x\"]}"),
    ("two documents", "description: first\n---\nname: other\n@ is not read\n"),
    ("document markers", "=%YAML 1.1\n---\napiVersion: v2\nname: web\nversion: 1.2.3\n...\n"),
    ("Windows line ends", "=apiVersion: v2\r\nname: web\r\nversion: 1.2.3\r\ndescription: |\r\n  a\r\n  b\r\n"),
    ("byte order mark", "=\u{FEFF}apiVersion: v2\nname: web\nversion: 1.2.3\n"),
    ("odd name", "apiVersion: v2\nname: web_1.x-y\nversion: 1.2.3\n"),
];

const EVERYTHING: &str = "home: https://web.example\nsources: [https://git.example/web, https://git.example/other]\n\
    description: A web server\nkeywords: [web, http]\nmaintainers: [{name: Ada, email: ada@x.example, url: https://ada.example}]\n\
    icon: https://web.example/icon.png\ncondition: web.enabled\ntags: front\nappVersion: 1.27.0\ndeprecated: true\n\
    annotations: {category: Infrastructure, artifacthub.io/license: Apache-2.0}\nkubeVersion: '>=1.25.0-0 <2'\ntype: application\n\
    dependencies: [{name: common, version: 2.x.x, repository: 'oci://r.example/charts'}]\n";

const RESERVED: &str = "description: d\nhome: h\nsources: [s]\nannotations:\n  org.opencontainers.image.title: other\n  \
    org.opencontainers.image.version: other\n  org.opencontainers.image.description: mine\n  org.opencontainers.image.url: mine\n  \
    org.opencontainers.image.source: mine\n  org.opencontainers.image.authors: mine\n  org.opencontainers.image.vendor: v\n";

const DEPENDENCIES: &str = "dependencies:\n- {name: a, version: 1.10, repository: ''}\n- {name: b}\n\
    - {name: b, alias: c_-1, repository: '@r', condition: 'c.on,d.on', enabled: yes, tags: [x, 1.0, no]}\n\
    - name: d\n  import-values: [data, {child: a.b, parent: .}, 1, 1.5, 12345678901234567890, 1e21, 0.0000001, yes, ~, [x, {z: 1, a: <&>}]]\n";
