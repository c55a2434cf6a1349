import unittest

import pager


class Pages(unittest.TestCase):
    def test_a_page_that_is_not_full_counts(self):
        self.assertEqual(pager.pages(19, 10), 2)
        self.assertEqual(pager.pages(21, 10), 3)

    def test_nothing_takes_one_page(self):
        self.assertEqual(pager.pages(0, 10), 1)

    def test_a_page_without_items_is_refused(self):
        with self.assertRaises(ValueError):
            pager.pages(5, 0)


class Window(unittest.TestCase):
    def test_it_ends_at_both_ends(self):
        self.assertEqual(pager.window(1, 9), [1, 2, 3])
        self.assertEqual(pager.window(9, 9), [7, 8, 9])


if __name__ == "__main__":
    unittest.main()
