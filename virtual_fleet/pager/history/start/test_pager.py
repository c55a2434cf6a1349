import unittest

import pager


class Pages(unittest.TestCase):
    def test_a_page_that_is_not_full_counts(self):
        self.assertEqual(pager.pages(21, 10), 3)


if __name__ == "__main__":
    unittest.main()
