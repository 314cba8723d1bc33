#!/usr/bin/env python3
"""Tests of the checks themselves: a check that cannot fail checks nothing."""
import unittest

import check_floors
import check_sizes
import generate_settings
import run_tidy


class Floors(unittest.TestCase):
    def refused(self, path, *includes):
        return list(check_floors.violations(path, "".join(f"#include {name}\n" for name in includes)))

    def test_lower_floors_and_the_own_module_are_fine(self):
        self.assertEqual(self.refused("src/jobs/a.cpp", '"base/result.h"', '"storage/catalogue.h"', '"jobs/job.h"'), [])
        self.assertEqual(self.refused("apps/atelier/main.cpp", '"api/server.h"', "<boost/beast.hpp>"), [])

    def test_neighbours_and_higher_floors_are_refused(self):
        for path, include in [("src/jobs/a.cpp", '"data/store.h"'), ("src/base/a.h", '"storage/blob_store.h"'),
                              ("src/data/a.cpp", '"serving/worker_host.h"'), ("src/serving/a.h", '"learning/x.h"'),
                              ("src/families/spec/a.h", '"families/family.h"')]:
            self.assertEqual(len(self.refused(path, include)), 1, (path, include))

    def test_libraries_have_their_places(self):
        for path in ("src/api/a.cpp", "src/families/spec/a.cpp", "src/learning/spec/a.h", "apps/atelier/main.cpp"):
            self.assertEqual(len(self.refused(path, "<torch/torch.h>")), 1, path)
        self.assertEqual(self.refused("src/families/mlp/a.cpp", "<torch/torch.h>"), [])
        self.assertEqual(self.refused("apps/atelier-torch/main.cpp", "<torch/torch.h>"), [])
        self.assertEqual(len(self.refused("src/data/images/a.cpp", "<opencv2/core.hpp>")), 1)
        self.assertEqual(len(self.refused("src/serving/a.cpp", "<boost/beast/http.hpp>")), 1)

    def test_a_comment_is_no_include_and_a_new_module_must_be_listed(self):
        self.assertEqual(self.refused("src/base/a.cpp"), [])
        self.assertEqual(list(check_floors.violations("src/base/a.cpp", '// #include "api/x.h"\n')), [])
        self.assertEqual(len(self.refused("src/novel/a.cpp")), 1)


class Sizes(unittest.TestCase):
    def functions(self, text):
        return [(line, length, parameters) for line, length, _, parameters in check_sizes.cpp_functions(text)]

    def test_functions_in_scopes_are_measured(self):
        text = "namespace a {\nclass B {\n public:\n  int F(int x, std::map<int, int> y) {\n    if (x) {\n    }\n  }\n};\n"
        self.assertEqual(self.functions(text + "}\n"), [(4, 4, 2)])

    def test_a_constructor_is_one_function(self):
        self.assertEqual(self.functions("A::A(int x, int y)\n    : x_{x}, y_{y} {\n  Go();\n}\n"), [(1, 4, 2)])
        self.assertEqual(self.functions("A::A(int x) : x_(x) {\n}\n"), [(1, 2, 1)])

    def test_braces_in_texts_and_comments_do_not_count(self):
        self.assertEqual(self.functions('void F() {\n  G("}", \'{\');  // {\n  H(R"({{{)");\n}\n'), [(1, 4, 0)])
        self.assertEqual(self.functions("#define M(x) do { \\\n  x; \\\n} while (0)\nint F() {\n}\n"), [(4, 2, 0)])

    def test_data_is_no_function(self):
        self.assertEqual(self.functions("const int kRows[] = {\n{1},\n{2},\n};\nstruct alignas(64) S {\nint x{5};\n};\n"), [])

    def test_what_is_too_long_is_named(self):
        long = "void F(int a, int b, int c, int d, int e, int f) {\n" + "  G();\n" * 70 + "}\n"
        found = list(check_sizes.violations("src/base/a.cpp", long))
        self.assertEqual(len(found), 2)
        self.assertTrue(found[0].startswith("src/base/a.cpp:1: 72 lines"))
        self.assertEqual(len(list(check_sizes.violations("src/base/a.h", "\n" * 501))), 1)
        self.assertEqual(list(check_sizes.violations("src/base/a_test.cpp", "\n" * 800)), [])


class Settings(unittest.TestCase):
    def row(self, **changes):
        setting = {"name": "a.b", "type": "int", "default": 1, "help": "h"} | changes
        generate_settings.check(setting)
        return setting

    def test_names_are_derived(self):
        row = self.row(name="http.max_uri_bytes", type="bytes", default="8KiB")
        self.assertEqual((row["flag"], row["environment"]), ("http-max-uri-bytes", "ATELIER_HTTP_MAX_URI_BYTES"))
        self.assertEqual(generate_settings.literal(row), "8192")

    def test_wrong_rows_are_refused(self):
        for changes in ({"name": "A"}, {"type": "float"}, {"default": 5, "max": 4}, {"type": "enum", "default": "x"},
                        {"type": "enum", "default": "x", "choices": ["y"]}, {"typo": 1}, {"type": "bool"},
                        {"type": "duration_ms", "default": "5 weeks"}):
            with self.assertRaises(ValueError, msg=changes):
                self.row(**changes)


class Tidy(unittest.TestCase):
    def test_precompiled_headers_are_dropped_from_commands(self):
        command = "/usr/bin/ccache c++ -I/x -Winvalid-pch -include /b/cmake_pch.hxx -O2 -c a.cpp"
        self.assertEqual(run_tidy.clean_command(command), "c++ -I/x -O2 -c a.cpp")


if __name__ == "__main__":
    unittest.main()
