<?php // Make the blog, or write posts: a list of them in JSON on standard input, their ids on standard output.
if ($argv[1] === 'install') {
    define('WP_INSTALLING', true);
}
require getenv('BLOG_ROOT') . '/wp-load.php';
if ($argv[1] === 'install') {
    require ABSPATH . 'wp-admin/includes/upgrade.php';
    wp_install('A blog', 'ann', 'ann@example.org', true, '', 'a-pass-word');
    wp_delete_post(1, true);
    update_option('posts_per_rss', 50);
    exit;
}
$ids = [];
foreach (json_decode(stream_get_contents(STDIN), true) as $post) {
    $ids[] = wp_insert_post($post + ['post_status' => 'publish', 'post_author' => 1], true);
}
echo json_encode($ids);
