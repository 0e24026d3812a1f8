"""All hooks but one."""
